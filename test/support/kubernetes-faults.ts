import { Deployment } from "kubernetes-models/apps/v1";
import { Job } from "kubernetes-models/batch/v1";
import { ConfigMap, PersistentVolumeClaim, Secret, Service } from "kubernetes-models/v1";

const MODELS = [ConfigMap, Deployment, Job, PersistentVolumeClaim, Secret, Service];

/**
 * What the published schemas of Kubernetes find wrong in a manifest. They let unknown fields pass, as the API server does
 * without strict validation: a field that the schema did not look at is one that Kubernetes does not know.
 */
export function kubernetesFaults(manifest: unknown): readonly string[] {
  const { apiVersion, kind } = (manifest ?? {}) as { readonly apiVersion?: unknown; readonly kind?: unknown };
  const model = MODELS.find(known => known.apiVersion === apiVersion && known.kind === kind);
  if (model === undefined) return [`no schema for ${String(apiVersion)} ${String(kind)}`];
  const unread = new Set<string>();
  try {
    model.prototype.validate.call(watched(manifest as object, "", unread) as never);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  return [...unread].map(field => `unknown field ${field}`);
}

/** The same value, which takes the path of each field that is read from `unread`. */
function watched<T extends object>(value: T, path: string, unread: Set<string>): T {
  for (const key of Object.keys(value)) unread.add(`${path}/${key}`);
  const inner = new Map<string, unknown>();
  return new Proxy(value, {
    get(target, key, receiver): unknown {
      const found: unknown = Reflect.get(target, key, receiver);
      if (typeof key === "symbol" || !Object.hasOwn(target, key)) return found;
      const at = `${path}/${key}`;
      unread.delete(at);
      if (typeof found !== "object" || found === null) return found;
      if (!inner.has(key)) inner.set(key, watched(found, at, unread));
      return inner.get(key);
    },
  });
}
