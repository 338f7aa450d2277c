package dev.qemuoperator.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qemuoperator.api.Statuses;
import dev.qemuoperator.api.VirtualMachine;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WishesChangedTest {

  private final WishesChanged filter = new WishesChanged();

  @Test
  void specAndAnnotationsAndDeletionCount() {
    assertThat(filter.accept(vm(2, "", null), vm(1, "", null))).isTrue();
    assertThat(filter.accept(vm(1, "b", null), vm(1, "a", null))).isTrue();
    assertThat(filter.accept(vm(1, "", "2026-01-01T12:00:00Z"), vm(1, "", null))).isTrue();
  }

  @Test
  void ownStatusDoesNot() {
    VirtualMachine now = vm(1, "a", null);
    now.setStatus(Statuses.EMPTY.in("Running").of());
    assertThat(filter.accept(now, vm(1, "a", null))).isFalse();
  }

  private static VirtualMachine vm(long generation, String restart, String deleted) {
    VirtualMachine vm = new VirtualMachine();
    vm.setMetadata(
        new ObjectMetaBuilder()
            .withGeneration(generation)
            .withAnnotations(Map.of("qemu-operator.dev/restart-requested-at", restart))
            .withDeletionTimestamp(deleted)
            .build());
    return vm;
  }
}
