package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

var started = time.Now()

// importImages loads the image archives that the container has, the pause image's among them.
func importImages(ctx context.Context) error {
	until(ctx, func() bool { return exec.Command("ctr", "version").Run() == nil })
	archives, err := filepath.Glob(images + "/*.tar")
	for _, archive := range archives {
		ctr := exec.Command("ctr", "--namespace=k8s.io", "images", "import", archive)
		if out, err := ctr.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %s", archive, out)
		}
	}
	return err
}

// applyManifests applies what lies in k3s' folder for that: our own, and any that a test put there.
func applyManifests(ctx context.Context, ip net.IP) error {
	template, err := os.ReadFile("/etc/kubernetes/dns.yaml")
	if err != nil {
		return err
	}
	dns := strings.ReplaceAll(string(template), "NODE_IP", ip.String())
	if err := os.WriteFile(manifests+"/dns.yaml", []byte(dns), 0o644); err != nil {
		return err
	}
	until(ctx, func() bool { // the API server takes some kinds only a moment after it said it was ready
		kubectl := exec.Command("/proc/self/exe", "kubectl", "--kubeconfig="+admin, "apply", "-f", manifests)
		out, err := kubectl.CombinedOutput()
		log.Printf("%s", out)
		return err == nil
	})
	return nil
}

func apiServerReady(ctx context.Context, client kubernetes.Interface) bool {
	return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error() == nil
}

// podsCanRun says whether a pod that is made now would be scheduled and started.
func podsCanRun(ctx context.Context, client kubernetes.Interface, name string) bool {
	if _, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", meta.GetOptions{}); err != nil {
		return false
	}
	node, err := client.CoreV1().Nodes().Get(ctx, name, meta.GetOptions{})
	if err != nil {
		return false
	}
	for _, taint := range node.Spec.Taints {
		if taint.Key == core.TaintNodeNotReady {
			return false
		}
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == core.NodeReady {
			// what stands there from before a restart doesn't count
			return condition.Status == core.ConditionTrue && condition.LastHeartbeatTime.After(started)
		}
	}
	return false
}

func until(ctx context.Context, done func() bool) {
	wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(context.Context) (bool, error) {
		return done(), nil
	})
}
