package main

import (
	"context"
	"log"
	"os"
	"os/exec"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

// joinPodNetwork gives this node's pods addresses of its own range, and keeps routes to those of the others.
func (n *node) joinPodNetwork(ctx context.Context, client kubernetes.Interface) error {
	var podCIDR string
	until(ctx, func() bool {
		found, err := client.CoreV1().Nodes().Get(ctx, n.name, meta.GetOptions{})
		if err == nil {
			podCIDR = found.Spec.PodCIDR
		}
		return podCIDR != ""
	})
	template, err := os.ReadFile("/etc/kubernetes/pods.conflist")
	if err != nil {
		return err
	}
	config := strings.ReplaceAll(string(template), "POD_CIDR", podCIDR)
	if err := os.MkdirAll("/etc/cni/net.d", 0o755); err != nil {
		return err
	}
	if err := os.WriteFile("/etc/cni/net.d/10-bridge.conflist", []byte(config), 0o644); err != nil {
		return err
	}
	go wait.UntilWithContext(ctx, func(ctx context.Context) { n.routeToOthers(ctx, client) }, time.Second)
	return nil
}

func (n *node) routeToOthers(ctx context.Context, client kubernetes.Interface) {
	nodes, err := client.CoreV1().Nodes().List(ctx, meta.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return
	}
	for _, other := range nodes.Items {
		if other.Name == n.name || other.Spec.PodCIDR == "" {
			continue
		}
		for _, address := range other.Status.Addresses {
			if address.Type == core.NodeInternalIP {
				route := exec.Command("ip", "route", "replace", other.Spec.PodCIDR, "via", address.Address)
				if out, err := route.CombinedOutput(); err != nil {
					log.Printf("%s: %s", route, out)
				}
			}
		}
	}
}
