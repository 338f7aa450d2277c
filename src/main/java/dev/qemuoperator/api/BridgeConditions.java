package dev.qemuoperator.api;

/** The condition types of a BridgeNetwork and every reason each can have. */
public final class BridgeConditions {

  private BridgeConditions() {}

  /** VMs can be connected to it. */
  public static final class Ready {
    public static final String TYPE = "Ready";
    public static final String READY = "Ready";

    /** The spec contradicts itself; the message says where. VMs wait. */
    public static final String INVALID = "Invalid";

    /** It is not known yet which nodes have the bridge. */
    public static final String LOOKING = "Looking";

    /** No node can be used, see status.nodes. VMs wait. */
    public static final String NO_NODE = "NoNode";

    /** No address of the pool is left, and a VM asks for one. */
    public static final String POOL_EXHAUSTED = "PoolExhausted";

    private Ready() {}
  }
}
