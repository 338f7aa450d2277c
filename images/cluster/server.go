package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/pflag"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// k3s' own places: tests put manifests and image archives there, and fetch the kubeconfig.
const (
	data      = "/var/lib/rancher/k3s"
	manifests = data + "/server/manifests"
	images    = data + "/agent/images"
	admin     = "/etc/rancher/k3s/k3s.yaml"
	token     = data + "/server/node-token"
)

// node is a node of the cluster and all that runs on it; that of the server has the control plane as well.
type node struct {
	name  string
	ip    net.IP
	api   string               // where the API server is
	token string               // of an agent: what it may join by
	sans  []string             // further names and addresses of the API server
	extra map[string]*[]string // further "flag=value"s by component
	ca    *authority
	ended chan error // why the node can't go on
}

// serve runs the node until a component ends or a signal comes; either ends the container.
func serve(server bool, args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	n, err := newNode(args)
	if err != nil {
		return err
	}
	if !server && n.token == "" {
		return errors.New("an agent needs --token, from " + token + " of the server, and --server=https://ADDRESS:6443")
	}
	if err := prepareHost(n.cgroup()); err != nil {
		return err
	}
	if n.ca, err = loadAuthority(data+"/server/tls", n.token); err != nil {
		return err
	}
	if err := n.issueCertificates(); err != nil {
		return err
	}
	go func() {
		if err := n.start(ctx, server); err != nil {
			n.ended <- err
		}
	}()
	select {
	case <-ctx.Done():
		return nil
	case err := <-n.ended:
		return err
	}
}

// newNode reads k3s' flags. Those that it doesn't know, such as --disable=traefik, ask for nothing that this
// node has.
func newNode(args []string) (*node, error) {
	n := &node{extra: map[string]*[]string{}, ended: make(chan error, len(components)+2)}
	flags := pflag.NewFlagSet("server", pflag.ContinueOnError)
	flags.ParseErrorsWhitelist.UnknownFlags = true
	flags.StringSliceVar(&n.sans, "tls-san", nil, "further names and addresses of the API server")
	flags.StringVar(&n.api, "server", "https://127.0.0.1:6443", "of an agent: where the server is")
	flags.StringVar(&n.token, "token", "", "of an agent: the content of "+token)
	for component := range components {
		n.extra[component] = flags.StringArray(component+"-arg", nil, "a further flag=value for "+component)
	}
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	hostname, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	n.name = strings.ToLower(hostname)
	n.ip, err = utilnet.ChooseHostInterface()
	return n, err
}

// start brings everything up in the order of need, and returns when the node is ready.
func (n *node) start(ctx context.Context, server bool) error {
	n.run(exec.Command("containerd", "--log-level=warn"))
	if server {
		if err := startEtcd(data + "/server/db"); err != nil {
			return err
		}
		n.runComponent("kube-apiserver", n.apiServerFlags())
	}
	config, err := clientcmd.BuildConfigFromFlags("", admin)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	until(ctx, func() bool { return apiServerReady(ctx, client) })
	if server {
		n.runComponent("kube-controller-manager", n.controllerManagerFlags())
		n.runComponent("kube-scheduler", n.schedulerFlags())
	}
	if err := importImages(ctx); err != nil {
		return err
	}
	n.runComponent("kubelet", n.kubeletFlags())
	n.runComponent("kube-proxy", n.proxyFlags())
	go serveStorage(ctx, client, n.name)
	if err := n.joinPodNetwork(ctx, client); err != nil {
		return err
	}
	if server {
		if err := serveDNS(n.ip.String(), admin); err != nil {
			return err
		}
		if err := applyManifests(ctx, n.ip); err != nil {
			return err
		}
	}
	until(ctx, func() bool { return podsCanRun(ctx, client, n.name) })
	log.Print("Node controller sync successful") // what Testcontainers' K3sContainer waits for
	return nil
}

// runComponent starts this binary again as a Kubernetes component. The user's flags come last and so prevail.
func (n *node) runComponent(name string, flags []string) {
	for _, flag := range *n.extra[name] {
		flags = append(flags, "--"+flag)
	}
	n.run(exec.Command("/proc/self/exe", append([]string{name}, flags...)...))
}

func (n *node) run(cmd *exec.Cmd) {
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	name := strings.Join(cmd.Args[:2], " ")
	if err := cmd.Start(); err != nil {
		n.ended <- fmt.Errorf("%s: %w", name, err)
		return
	}
	go func() { n.ended <- fmt.Errorf("%s ended: %v", name, cmd.Wait()) }()
}

// cgroup is this node's own root for its pods, so that two nodes on one machine don't tidy away each other's.
func (n *node) cgroup() string { return "/k3s-" + n.name }
