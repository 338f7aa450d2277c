package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// authority is the cluster's one certificate authority; its files live in dir and outlast a restart.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  crypto.Signer
}

// loadAuthority reads it from dir, or from the token of a server, or makes it.
func loadAuthority(dir, token string) (*authority, error) {
	a := &authority{dir: dir}
	if token != "" {
		if err := a.take(token); err != nil {
			return nil, fmt.Errorf("--token: %w", err)
		}
	}
	// The service accounts' signing key must outlast a restart too, or every token would become invalid.
	for _, name := range []string{"ca.key", "service-account.key"} {
		if _, _, err := keyutil.LoadOrGenerateKeyFile(a.path(name)); err != nil {
			return nil, err
		}
	}
	key, err := keyutil.PrivateKeyFromFile(a.path("ca.key"))
	if err != nil {
		return nil, err
	}
	a.key = key.(crypto.Signer)
	if found, err := cert.CertsFromFile(a.path("ca.crt")); err == nil {
		a.cert = found[0]
		return a, nil
	}
	if a.cert, err = cert.NewSelfSignedCACert(cert.Config{CommonName: "k3s-ca"}, a.key); err != nil {
		return nil, err
	}
	return a, cert.WriteCert(a.path("ca.crt"), pemCert(a.cert.Raw))
}

// A server's token is its authority itself: an agent issues its own certificates. For tests that is good enough.
type joinToken struct{ Cert, Key []byte }

func (a *authority) take(token string) error {
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(token))
	if err != nil {
		return err
	}
	var parts joinToken
	if err := json.Unmarshal(text, &parts); err != nil {
		return err
	}
	return errors.Join(cert.WriteCert(a.path("ca.crt"), parts.Cert), keyutil.WriteKey(a.path("ca.key"), parts.Key))
}

// writeToken writes what an agent joins by.
func (a *authority) writeToken(file string) error {
	key, err := os.ReadFile(a.path("ca.key"))
	if err != nil {
		return err
	}
	text, err := json.Marshal(joinToken{Cert: pemCert(a.cert.Raw), Key: key})
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(base64.StdEncoding.EncodeToString(text)), 0o600)
}

// issueCertificates makes every party's certificate anew at each start: the node's address may have changed.
func (n *node) issueCertificates() error {
	sans := append(n.sans, "127.0.0.1", "localhost", "10.43.0.1", n.ip.String(), n.name,
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
	user, nodes := "system:node:"+n.name, "system:nodes"
	return errors.Join(
		n.ca.writeToken(token),
		n.ca.issue("apiserver", "kube-apiserver", "system:masters", sans...), // also as the kubelet's client
		n.ca.issue("kubelet", user, nodes, n.name, n.ip.String()),
		n.ca.issue("front-proxy", "front-proxy", ""),
		n.kubeconfig(admin, "admin", "system:admin", "system:masters"),
		n.kubeconfig(n.ca.path("controllers.kubeconfig"), "controllers", "system:kube-controller-manager", ""),
		n.kubeconfig(n.ca.path("scheduler.kubeconfig"), "scheduler", "system:kube-scheduler", ""),
		n.kubeconfig(n.ca.path("proxy.kubeconfig"), "proxy", "system:kube-proxy", ""),
		n.kubeconfig(n.ca.path("node.kubeconfig"), "node", user, nodes),
	)
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

// issue writes NAME.crt and NAME.key, a certificate good for client and server use.
func (a *authority) issue(name, user, group string, sans ...string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return err
	}
	template := x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: user, Organization: []string{group}},
		NotBefore:    a.cert.NotBefore,
		NotAfter:     time.Now().AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	for _, san := range sans {
		if ip := net.ParseIP(san); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, san)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, a.cert, key.Public(), a.key)
	if err != nil {
		return err
	}
	keyPEM, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return err
	}
	if err := keyutil.WriteKey(a.path(name+".key"), keyPEM); err != nil {
		return err
	}
	return cert.WriteCert(a.path(name+".crt"), pemCert(der))
}

// kubeconfig issues a client certificate and writes it, embedded, into a kubeconfig file.
func (n *node) kubeconfig(file, name, user, group string) error {
	if err := n.ca.issue(name, user, group); err != nil {
		return err
	}
	read := func(name string) []byte { data, _ := os.ReadFile(n.ca.path(name)); return data }
	config := api.NewConfig()
	config.Clusters["default"] = &api.Cluster{Server: n.api, CertificateAuthorityData: read("ca.crt")}
	config.AuthInfos["default"] = &api.AuthInfo{
		ClientCertificateData: read(name + ".crt"), ClientKeyData: read(name + ".key")}
	config.Contexts["default"] = &api.Context{Cluster: "default", AuthInfo: "default"}
	config.CurrentContext = "default"
	return clientcmd.WriteToFile(*config, file)
}

func pemCert(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: cert.CertificateBlockType, Bytes: der})
}
