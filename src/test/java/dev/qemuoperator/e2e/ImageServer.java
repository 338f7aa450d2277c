package dev.qemuoperator.e2e;

import dev.qemuoperator.cluster.Cluster;
import java.util.concurrent.TimeUnit;

/** A web server in the cluster that can serve the tiny guest's disk under any name. */
record ImageServer(String namespace, String url, String checksum) {

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
            env: [{name: WORK, value: /work}]
            volumeMounts: [{name: work, mountPath: /work}]
          - name: disk
            image: "%2$s"
            command: [/work/busybox, cp, /disk/disk.qcow2, /work/tiny.qcow2]
            volumeMounts: [{name: work, mountPath: /work}]
          containers:
          - name: httpd
            image: "%1$s"
            command: [busybox, httpd, -f, -p, "8080", -h, /www]
            volumeMounts: [{name: work, mountPath: /work}, {name: www, mountPath: /www}]
          volumes: [{name: work, emptyDir: {}}, {name: www, emptyDir: {}}]
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
    ImageServer server =
        new ImageServer(namespace, "http://image-server." + namespace + ".svc", "");
    String sum = server.run("sha256sum /work/tiny.qcow2").split(" ")[0];
    return new ImageServer(namespace, server.url, "sha256:" + sum);
  }

  /** From now on the disk is served under this name. */
  void publish(String file) {
    run("cp /work/tiny.qcow2 /www/" + file + ".new && mv /www/" + file + ".new /www/" + file);
  }

  private String run(String script) {
    return Cluster.get()
        .kubectl("exec", "-n", namespace, POD, "-c", "httpd", "--", "sh", "-c", script)
        .text();
  }
}
