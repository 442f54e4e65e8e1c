/** What the tests read of objects as the API server gives them. */

export interface Meta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Stored {
  readonly kind: string;
  readonly metadata: Meta;
}

export interface List<T = Stored> {
  readonly items: readonly T[];
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string };
    readonly fieldRef?: { readonly fieldPath: string };
  };
}

export interface KeyItem {
  readonly key: string;
  readonly path: string;
}

/** As far as the chart makes use of them. */
export interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string; readonly items?: readonly KeyItem[] };
  readonly secret?: { readonly secretName: string; readonly defaultMode?: number; readonly items?: readonly KeyItem[] };
  readonly emptyDir?: object;
  readonly hostPath?: { readonly path: string };
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string | number; readonly host?: string };
}

export interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly { readonly secretRef?: { readonly name: string } }[];
  readonly volumeMounts: readonly VolumeMount[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly securityContext: {
    readonly readOnlyRootFilesystem: boolean;
    readonly capabilities: { readonly drop: string[] };
  };
}

export interface Pod extends Stored {
  readonly spec: {
    readonly containers: readonly [Container];
    readonly volumes: readonly Volume[];
    readonly terminationGracePeriodSeconds: number;
    readonly securityContext: { readonly runAsUser: number; readonly runAsGroup?: number; readonly fsGroup?: number };
  };
  readonly status: { readonly phase: string };
}

export interface Job extends Stored {
  readonly status: {
    readonly active?: number;
    readonly failed?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
  };
}

export interface Event extends Stored {
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly name: string };
}
