package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	storage "sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// localPath makes a directory on this node for each claim of the StorageClass local-path.
type localPath struct{ dir, node string }

func serveStorage(ctx context.Context, client kubernetes.Interface, node string) {
	storage.NewProvisionController(ctx, client, "rancher.io/local-path",
		localPath{dir: data + "/storage", node: node}, storage.LeaderElection(false)).Run(ctx)
}

func (p localPath) Provision(_ context.Context, o storage.ProvisionOptions) (
	*core.PersistentVolume, storage.ProvisioningState, error) {
	if o.PVC.Annotations["volume.kubernetes.io/selected-node"] != p.node {
		return nil, storage.ProvisioningFinished, &storage.IgnoredError{Reason: "it is for another node"}
	}
	if err := refuse(o.PVC.Spec); err != nil {
		return nil, storage.ProvisioningFinished, err
	}
	dir := filepath.Join(p.dir, o.PVName+"_"+o.PVC.Namespace+"_"+o.PVC.Name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, storage.ProvisioningFinished, err
	}
	if err := os.Chmod(dir, 0o777); err != nil { // whatever the umask: any user's pod may write
		return nil, storage.ProvisioningFinished, err
	}
	size := o.PVC.Spec.Resources.Requests[core.ResourceStorage]
	kind := core.HostPathDirectoryOrCreate
	onThisNode := core.NodeSelectorTerm{MatchExpressions: []core.NodeSelectorRequirement{
		{Key: core.LabelHostname, Operator: core.NodeSelectorOpIn, Values: []string{p.node}}}}
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: o.PVName},
		Spec: core.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *o.StorageClass.ReclaimPolicy,
			AccessModes:                   o.PVC.Spec.AccessModes,
			VolumeMode:                    o.PVC.Spec.VolumeMode,
			Capacity:                      core.ResourceList{core.ResourceStorage: size},
			PersistentVolumeSource: core.PersistentVolumeSource{
				HostPath: &core.HostPathVolumeSource{Path: dir, Type: &kind}},
			NodeAffinity: &core.VolumeNodeAffinity{
				Required: &core.NodeSelector{NodeSelectorTerms: []core.NodeSelectorTerm{onThisNode}}},
		},
	}, storage.ProvisioningFinished, nil
}

// refuse says what k3s' provisioner would not make either, or a test could pass here only.
func refuse(claim core.PersistentVolumeClaimSpec) error {
	if claim.VolumeMode != nil && *claim.VolumeMode == core.PersistentVolumeBlock {
		return errors.New("local-path has directories only, no block devices")
	}
	if claim.Selector != nil {
		return errors.New("local-path supports no selector in a claim")
	}
	for _, mode := range claim.AccessModes {
		if mode != core.ReadWriteOnce && mode != core.ReadWriteOncePod {
			return errors.New("local-path supports the access modes ReadWriteOnce and ReadWriteOncePod only")
		}
	}
	return nil
}

func (p localPath) Delete(_ context.Context, v *core.PersistentVolume) error {
	if v.Spec.NodeAffinity.Required.NodeSelectorTerms[0].MatchExpressions[0].Values[0] != p.node {
		return &storage.IgnoredError{Reason: "it is on another node"}
	}
	return os.RemoveAll(v.Spec.HostPath.Path)
}
