package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
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

func loadAuthority(dir string) (*authority, error) {
	a := &authority{dir: dir}
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

// issueCertificates makes every party's certificate anew at each start: the node's address may have changed.
func (n *node) issueCertificates() error {
	sans := append(n.sans, "127.0.0.1", "localhost", "10.43.0.1", n.ip.String(), n.name,
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
	user, nodes := "system:node:"+n.name, "system:nodes"
	return errors.Join(
		n.ca.issue("apiserver", "kube-apiserver", "system:masters", sans...), // also as the kubelet's client
		n.ca.issue("kubelet", user, nodes, n.name, n.ip.String()),
		n.ca.issue("front-proxy", "front-proxy", ""),
		n.ca.kubeconfig(admin, "admin", "system:admin", "system:masters"),
		n.ca.kubeconfig(n.ca.path("controllers.kubeconfig"), "controllers", "system:kube-controller-manager", ""),
		n.ca.kubeconfig(n.ca.path("scheduler.kubeconfig"), "scheduler", "system:kube-scheduler", ""),
		n.ca.kubeconfig(n.ca.path("proxy.kubeconfig"), "proxy", "system:kube-proxy", ""),
		n.ca.kubeconfig(n.ca.path("node.kubeconfig"), "node", user, nodes),
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
func (a *authority) kubeconfig(file, name, user, group string) error {
	if err := a.issue(name, user, group); err != nil {
		return err
	}
	read := func(name string) []byte { data, _ := os.ReadFile(a.path(name)); return data }
	config := api.NewConfig()
	config.Clusters["default"] = &api.Cluster{Server: "https://127.0.0.1:6443", CertificateAuthorityData: read("ca.crt")}
	config.AuthInfos["default"] = &api.AuthInfo{
		ClientCertificateData: read(name + ".crt"), ClientKeyData: read(name + ".key")}
	config.Contexts["default"] = &api.Context{Cluster: "default", AuthInfo: "default"}
	config.CurrentContext = "default"
	return clientcmd.WriteToFile(*config, file)
}

func pemCert(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: cert.CertificateBlockType, Bytes: der})
}
