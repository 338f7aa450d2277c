package main

import (
	"github.com/coredns/caddy"
	_ "github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/kubernetes"
)

// serveDNS runs CoreDNS in this process; the Service kube-system/kube-dns points at it.
func serveDNS(ip, kubeconfig string) error {
	corefile := `.:10053 {
	bind ` + ip + `
	errors
	kubernetes cluster.local in-addr.arpa ip6.arpa {
		kubeconfig ` + kubeconfig + `
		pods insecure
	}
	forward . /etc/resolv.conf
	cache 5
}`
	_, err := caddy.Start(caddy.CaddyfileInput{Contents: []byte(corefile), ServerTypeName: "dns"})
	return err
}
