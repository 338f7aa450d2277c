package dev.qemuoperator.api;

/**
 * Annotations that users set on a VirtualMachine, VirtualMachineImage or BridgeNetwork. The first
 * ones ask for something once: their value is a time stamp, as {@code kubectl rollout restart}
 * writes it, and any value that differs from the one that was acted on last, see status.actions or
 * an image's status.refreshRequestedAt, is a new request.
 */
public final class Annotations {

  /** Power the guest off by its button, and start it from the present spec. */
  public static final String RESTART_REQUESTED_AT = "qemu-operator.dev/restart-requested-at";

  /** Press the machine's reset button: at once, and the guest is not asked. */
  public static final String RESET_REQUESTED_AT = "qemu-operator.dev/reset-requested-at";

  /**
   * On an image: look its sources up again, and pin what they serve now. On a BridgeNetwork: look
   * at once which nodes have the bridge.
   */
  public static final String REFRESH_REQUESTED_AT = "qemu-operator.dev/refresh-requested-at";

  /**
   * {@code disabled}: the operator changes nothing of this VM, and only reports its status. The
   * guest runs on; the kubelet still starts it again in its pod.
   */
  public static final String RECONCILE = "qemu-operator.dev/reconcile";

  private Annotations() {}
}
