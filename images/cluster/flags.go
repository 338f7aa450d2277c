package main

// The components' flags, where they differ from Kubernetes' defaults. 10.42.0.0/16 and 10.43.0.0/16 are
// k3s' pod and Service networks.

func (n *node) apiServerFlags() []string {
	return []string{
		"--etcd-servers=http://127.0.0.1:2379",
		"--advertise-address=" + n.ip.String(),
		"--secure-port=6443",
		"--service-cluster-ip-range=10.43.0.0/16",
		"--allow-privileged=true",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--client-ca-file=" + n.ca.path("ca.crt"),
		"--tls-cert-file=" + n.ca.path("apiserver.crt"),
		"--tls-private-key-file=" + n.ca.path("apiserver.key"),
		"--kubelet-client-certificate=" + n.ca.path("apiserver.crt"),
		"--kubelet-client-key=" + n.ca.path("apiserver.key"),
		"--kubelet-certificate-authority=" + n.ca.path("ca.crt"),
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + n.ca.path("service-account.key"),
		"--service-account-signing-key-file=" + n.ca.path("service-account.key"),
		// the aggregation layer, for APIServices
		"--requestheader-client-ca-file=" + n.ca.path("ca.crt"),
		"--requestheader-allowed-names=front-proxy",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + n.ca.path("front-proxy.crt"),
		"--proxy-client-key-file=" + n.ca.path("front-proxy.key"),
	}
}

func (n *node) controllerManagerFlags() []string {
	return []string{
		"--kubeconfig=" + n.ca.path("controllers.kubeconfig"),
		"--use-service-account-credentials=true",
		"--leader-elect=false",
		"--root-ca-file=" + n.ca.path("ca.crt"),
		"--service-account-private-key-file=" + n.ca.path("service-account.key"),
		"--cluster-signing-cert-file=" + n.ca.path("ca.crt"),
		"--cluster-signing-key-file=" + n.ca.path("ca.key"),
		"--allocate-node-cidrs=true",
		"--cluster-cidr=10.42.0.0/16", // each node gets a /24 of it
		"--service-cluster-ip-range=10.43.0.0/16",
	}
}

func (n *node) schedulerFlags() []string {
	return []string{
		"--kubeconfig=" + n.ca.path("scheduler.kubeconfig"),
		"--leader-elect=false",
	}
}

func (n *node) kubeletFlags() []string {
	return []string{
		"--config=/etc/kubernetes/kubelet.yaml",
		"--kubeconfig=" + n.ca.path("node.kubeconfig"),
		"--hostname-override=" + n.name,
		"--node-ip=" + n.ip.String(),
		"--cgroup-root=" + n.cgroup(),
	}
}

func (n *node) proxyFlags() []string {
	return []string{
		"--config=/etc/kubernetes/kube-proxy.yaml",
		"--hostname-override=" + n.name,
	}
}
