package dev.qemuoperator.api;

/** The condition types of a VirtualMachineImage and every reason each can have. */
public final class ImageConditions {

  private ImageConditions() {}

  /** Disks can be made from it, as far as is known without fetching it. */
  public static final class Ready {
    public static final String TYPE = "Ready";

    /** No VirtualMachine names it yet; its sources are looked up when the first one does. */
    public static final String ON_DEMAND = "OnDemand";

    /** A source answers, and what it must serve is pinned in the status. */
    public static final String RESOLVED = "Resolved";

    /** No source answers; the message has what each said. It is tried again. */
    public static final String SOURCE_UNAVAILABLE = "SourceUnavailable";

    /** The HostPathRoot of a source does not exist (yet), and no other source answers. */
    public static final String ROOT_NOT_FOUND = "HostPathRootNotFound";

    /** The file behind checksumUrl cannot be read, or has no sum for the image's file. */
    public static final String CHECKSUM_UNAVAILABLE = "ChecksumUnavailable";

    private Ready() {}
  }

  /** The nodes of spec.prePull have what is pinned in the status. */
  public static final class PrePulled {
    public static final String TYPE = "PrePulled";

    /** There is no spec.prePull. */
    public static final String NOT_REQUESTED = "NotRequested";

    /** Its sources have to be looked up first, see Ready. */
    public static final String NOT_RESOLVED = "NotResolved";

    /** No node that takes pods has the labels of spec.prePull.nodeSelector. */
    public static final String NO_NODES = "NoNodes";

    /** It comes to nodes; status.nodes says how far it is. */
    public static final String FETCHING = "Fetching";

    /** A node cannot get it; the message says why. It is tried again. */
    public static final String FETCH_FAILED = "FetchFailed";

    /** Each of the nodes has it. */
    public static final String PRESENT = "Present";

    private PrePulled() {}
  }
}
