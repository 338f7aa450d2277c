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

    /** The file behind checksumUrl cannot be read, or has no sum for the image's file. */
    public static final String CHECKSUM_UNAVAILABLE = "ChecksumUnavailable";

    private Ready() {}
  }
}
