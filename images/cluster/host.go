package main

import (
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// prepareHost makes up for what a container without --privileged lacks, and makes the pods' cgroup.
func prepareHost(cgroup string) error {
	for _, dir := range []string{"/run/containerd", "/run/cni"} { // of an earlier start of this container
		os.RemoveAll(dir)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, ""); err != nil {
		return fmt.Errorf("mount --make-rshared /: %w", err)
	}
	syscall.Unmount("/proc/sys", syscall.MNT_DETACH) // the read-only cover, if it lies there
	const flags = syscall.MS_REMOUNT | syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC
	if err := syscall.Mount("", "/sys", "", flags, ""); err != nil {
		return fmt.Errorf("mount -o remount,rw /sys: %w", err)
	}
	if _, err := os.Stat("/dev/kmsg"); err != nil { // the kubelet wants to read it
		if err := os.Symlink("/dev/null", "/dev/kmsg"); err != nil {
			return err
		}
	}
	for i := range 16 { // the kubelet makes a loop device for each volume of the mode Block
		err := syscall.Mknod(fmt.Sprintf("/dev/loop%d", i), syscall.S_IFBLK|0o660, 7<<8|i)
		if err != nil && !os.IsExist(err) {
			log.Print(err)
		}
	}
	for _, key := range []string{"net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"} {
		if err := os.WriteFile("/proc/sys/"+key, []byte("1"), 0); err != nil {
			log.Print(err) // without br_netfilter the second is absent, and pods reach each other all the same
		}
	}
	return makeCgroup(cgroup)
}

func makeCgroup(cgroup string) error {
	const root = "/sys/fs/cgroup"
	if _, err := os.Stat(root + "/cgroup.controllers"); err != nil { // cgroup v1: one hierarchy by controller
		hierarchies, err := filepath.Glob(root + "/*")
		for _, hierarchy := range hierarchies {
			removeCgroups(hierarchy + cgroup)
			if err := os.MkdirAll(hierarchy+cgroup, 0o755); err != nil {
				return err
			}
		}
		return err
	}
	removeCgroups(root + cgroup)
	if err := os.MkdirAll(root+cgroup, 0o755); err != nil {
		return err
	}
	for _, parent := range []string{root, root + cgroup} { // cgroup v2: hand the controllers down
		for _, controller := range []string{"cpu", "cpuset", "io", "memory", "pids"} {
			os.WriteFile(parent+"/cgroup.subtree_control", []byte("+"+controller), 0)
		}
	}
	return nil
}

// removeCgroups removes the empty cgroups of an earlier start, on which the kubelet would lose seconds each.
func removeCgroups(root string) {
	var dirs []string
	filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	for _, dir := range slices.Backward(dirs) {
		os.Remove(dir)
	}
}
