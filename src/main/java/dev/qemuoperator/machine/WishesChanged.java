package dev.qemuoperator.machine;

import dev.qemuoperator.api.VirtualMachine;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.javaoperatorsdk.operator.processing.event.source.filter.OnUpdateFilter;
import java.util.Objects;

/**
 * Whether a VM asks for something else than before: the status, which is our own word, does not
 * count.
 */
public final class WishesChanged implements OnUpdateFilter<VirtualMachine> {

  @Override
  public boolean accept(VirtualMachine now, VirtualMachine before) {
    ObjectMeta is = now.getMetadata();
    ObjectMeta was = before.getMetadata();
    return !Objects.equals(is.getUid(), was.getUid())
        || !Objects.equals(is.getGeneration(), was.getGeneration())
        || !Objects.equals(is.getAnnotations(), was.getAnnotations())
        || !Objects.equals(is.getDeletionTimestamp(), was.getDeletionTimestamp());
  }
}
