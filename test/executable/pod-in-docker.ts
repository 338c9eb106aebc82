import type { PodTemplate } from "../support/pod-manifests.ts";

/**
 * The words after `docker run` that start the container of a pod as a node would: user, rights, limits, variables, and a
 * volume for each mount. emptyDir is a file system in memory.
 *
 * @param paths what is mounted for the other volumes, by their names
 */
export function podFlags({ spec }: PodTemplate, paths: Readonly<Record<string, string>>): readonly string[] {
  const { env = [], volumeMounts, resources, securityContext } = spec.containers[0];
  const { runAsUser, runAsGroup } = spec.securityContext as { readonly runAsUser: number; readonly runAsGroup: number };
  const { capabilities } = securityContext as { readonly capabilities: { readonly drop: readonly string[] } };
  const { memory } = resources.limits as { readonly memory: string };
  return [
    `--user=${runAsUser}:${runAsGroup}`,
    "--read-only",
    "--security-opt=no-new-privileges",
    ...capabilities.drop.map(name => `--cap-drop=${name}`),
    `--memory=${memory.replace(/i$/, "").toLowerCase()}`,
    ...env.map(({ name, value }) => `--env=${name}=${value}`),
    ...volumeMounts.map(({ name, mountPath, readOnly }) =>
      paths[name] === undefined
        ? `--tmpfs=${mountPath}:mode=1777`
        : `--volume=${paths[name]}:${mountPath}${readOnly ? ":ro" : ""}`,
    ),
  ];
}
