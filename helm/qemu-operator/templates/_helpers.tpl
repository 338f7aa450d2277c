{{- define "qemu-operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name -}}
{{- end -}}

{{/* The release's name, which need not repeat the chart's. */}}
{{- define "qemu-operator.fullname" -}}
{{- $name := include "qemu-operator.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* By these the Deployment finds its pods: they can never change. */}}
{{- define "qemu-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "qemu-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "qemu-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "qemu-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "qemu-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "qemu-operator.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/* Whom the roles are given to. */}}
{{- define "qemu-operator.subjects" -}}
- kind: ServiceAccount
  name: {{ include "qemu-operator.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{/* What the operator does in a namespace whose VirtualMachines it runs; RbacTest says which class needs what. */}}
{{- define "qemu-operator.machineRules" -}}
- apiGroups: [qemu-operator.dev]
  resources: [virtualmachines]
  verbs: [list, watch]
- apiGroups: [qemu-operator.dev]
  resources: [virtualmachines/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [pods, services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [""]
  resources: [pods/resize]
  verbs: [patch]
- apiGroups: [""]
  resources: [persistentvolumeclaims, secrets]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [list]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end -}}

{{/* Specs of images by name; with a mirror in front of their own sources. */}}
{{- define "qemu-operator.catalogue" -}}
{{- $images := dict -}}
{{- $mirror := .Values.images.mirror | default "" | trimSuffix "/" -}}
{{- range $name, $spec := .Values.images.catalogue -}}
{{- if $spec -}}
{{- $sources := list -}}
{{- range $spec.sources -}}
{{- if and $mirror .http -}}
{{- $mirrored := dict "url" (regexReplaceAll "^https?:/" .http.url $mirror) -}}
{{- with .http.checksumUrl | default $spec.checksumUrl -}}
{{- $_ := set $mirrored "checksumUrl" (regexReplaceAll "^https?:/" . $mirror) -}}
{{- end -}}
{{- $sources = append $sources (dict "http" $mirrored) -}}
{{- end -}}
{{- end -}}
{{- $_ := set $images $name (merge (dict "sources" (concat $sources $spec.sources)) $spec) -}}
{{- end -}}
{{- end -}}
{{ toYaml $images }}
{{- end -}}
