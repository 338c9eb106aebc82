import { ownFile, type RuntimeFiles } from "./mirror-file.ts";
import { fullName, type MirroredRepository, type MirrorPlan } from "./mirror-plan.ts";
import { withoutAddresses } from "./without-addresses.ts";
import { yamlLines } from "./yaml-file.ts";

const FILE = "imgpack-mirrors.yaml";

/**
 * ImageDigestMirrorSet and ImageTagMirrorSet (config.openshift.io/v1, OpenShift 4.13). One entry for each repository: those for
 * a namespace lead to wrong places as soon as two of its repositories are not next to each other (oc-mirror#1002).
 */
export function openshiftFiles(plan: MirrorPlan): RuntimeFiles {
  const { target } = plan;
  const { possible: known, notPossible } = withoutAddresses(plan, "OpenShift");
  const possible = known.flatMap(({ repositories }) => repositories);
  const entry = (one: MirroredRepository) => ({
    source: fullName(one),
    mirrors: [`${target.registry}/${one.target}`],
    mirrorSourcePolicy: "NeverContactSource",
  });
  const sets = [
    mirrorSet("ImageDigestMirrorSet", "imageDigestMirrors", possible.map(entry)),
    mirrorSet("ImageTagMirrorSet", "imageTagMirrors", possible.filter(({ hasTags }) => hasTags).map(entry)),
  ].filter(set => set !== undefined);
  const lines = sets.flatMap((set, index) => [...(index === 0 ? [] : ["---"]), ...yamlLines(set)]);
  return {
    files: sets.length === 0 ? [] : [ownFile([FILE], lines)],
    notPossible,
    notes: [
      `Apply it with "oc apply -f ${FILE}": it takes the place of an earlier one, and the nodes get it one after the other`,
      ...(target.scheme === "http" || target.isInsecure
        ? [`List ${target.registry} in registrySources.insecureRegistries of image.config.openshift.io/cluster`]
        : target.caFile === undefined
          ? []
          : [`Put the CA of ${target.registry} into additionalTrustedCA of image.config.openshift.io/cluster`]),
    ],
  };
}

function mirrorSet(kind: string, field: string, entries: readonly object[]): object | undefined {
  if (entries.length === 0) return undefined;
  return { apiVersion: "config.openshift.io/v1", kind, metadata: { name: "imgpack" }, spec: { [field]: entries } };
}
