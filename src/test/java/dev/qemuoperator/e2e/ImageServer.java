package dev.qemuoperator.e2e;

import dev.qemuoperator.cluster.Cluster;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A web server in the cluster that can serve the tiny guest's disk under any name, and its CD under
 * one that ends with .iso.
 */
record ImageServer(String namespace, String url) {

  private static final String POD = "image-server";

  static ImageServer start(String namespace) {
    Vm.apply(
        namespace,
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: image-server, labels: {app: image-server}}
        spec:
          terminationGracePeriodSeconds: 0
          initContainers:
          - name: tools
            image: "%1$s"
            command: [/usr/lib/qemu-operator/tools]
            env: [{name: HANDOVER, value: /handover}]
            volumeMounts: [{name: handover, mountPath: /handover}]
          - name: disk
            image: "%2$s"
            command: [/handover/busybox, cp, /disk/disk.qcow2, /disk/tiny.iso, /handover]
            volumeMounts: [{name: handover, mountPath: /handover}]
          containers:
          - name: httpd
            image: "%1$s"
            command: [busybox, httpd, -f, -p, "8080", -h, /www]
            volumeMounts: [{name: handover, mountPath: /handover}, {name: www, mountPath: /www}]
          volumes: [{name: handover, emptyDir: {}}, {name: www, emptyDir: {}}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: image-server}
        spec: {selector: {app: image-server}, ports: [{port: 80, targetPort: 8080}]}
        """
            .formatted(Installation.image("runner"), Installation.image("guest-tiny")));
    Cluster.get()
        .client()
        .pods()
        .inNamespace(namespace)
        .withName(POD)
        .waitUntilReady(2, TimeUnit.MINUTES);
    return new ImageServer(namespace, "http://image-server." + namespace + ".svc");
  }

  /** From now on the disk is served under this name. */
  void publish(String file) {
    run(variant(file) + " > /www/new && mv /www/new /www/" + file);
  }

  /** From now on the disk is served under this name, as a file of so many megabytes. */
  void publishLarge(String file, int megabytes) {
    run(
        "{ %s; head -c $((%d << 20)) /dev/urandom; } > /www/new && mv /www/new /www/%s"
            .formatted(variant(file), megabytes, file));
  }

  /** From now on the compressed disk is served under this name. */
  void publishCompressed(String file) {
    run(variant(file) + " | gzip > /www/new && mv /www/new /www/" + file);
  }

  /** From now on an image that wants to read a file of its host is served under this name. */
  void publishWithBackingFile(String file, String backingFile) {
    run("qemu-img create -q -f qcow2 -u -F raw -b %s /www/%s 64M".formatted(backingFile, file));
  }

  /** The disk, as a file of this machine. */
  void download(Path file) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(Cluster.get().kubectlCommand());
    command.addAll(
        List.of("exec", "-n", namespace, POD, "-c", "httpd", "--", "cat", "/handover/disk.qcow2"));
    int code = new ProcessBuilder(command).redirectOutput(file.toFile()).start().waitFor();
    if (code != 0) {
      throw new IOException("kubectl exec ended with " + code);
    }
  }

  /** From now on nothing is served under this name. */
  void withdraw(String file) {
    run("rm /www/" + file);
  }

  /** Its file of sums, as Debian and Ubuntu publish it. */
  String publishSums() {
    run("cd /www && sha256sum *.* > SHA256SUMS");
    return url + "/SHA256SUMS";
  }

  /** Of what is served under this name. */
  String publishedChecksum(String file) {
    return "sha256:" + run("sha256sum /www/" + file).split(" ")[0];
  }

  /** Of what is or will be served under this name. */
  String checksum(String file) {
    return "sha256:" + run(variant(file) + " | sha256sum").split(" ")[0];
  }

  /** Each name has its own content, behind the disk's end: no cache of another test knows it. */
  private String variant(String file) {
    String content = file.endsWith(".iso") ? "tiny.iso" : "disk.qcow2";
    return "{ cat /handover/%s; echo %s/%s; }".formatted(content, namespace, file);
  }

  private String run(String script) {
    return Cluster.get()
        .kubectl("exec", "-n", namespace, POD, "-c", "httpd", "--", "sh", "-c", script)
        .text();
  }
}
