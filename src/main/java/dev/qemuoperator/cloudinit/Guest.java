package dev.qemuoperator.cloudinit;

import java.util.List;

/**
 * What the operator itself has to tell the guest.
 *
 * @param uid of the VirtualMachine: a new VM of the same name is a new instance
 * @param nics in the order in which the guest gets them as eth0, eth1 …
 * @param authorizedKeys one line each, for the image's default user. A {@code users} list in
 *     user-data without {@code default} leaves no such user, and cloud-init then gives these keys
 *     to nobody.
 */
public record Guest(String uid, String hostname, List<Nic> nics, List<String> authorizedKeys) {
  public Guest {
    nics = List.copyOf(nics);
    authorizedKeys = List.copyOf(authorizedKeys);
  }
}
