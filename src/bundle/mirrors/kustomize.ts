import { isMap } from "yaml";
import type { RuntimeFiles } from "./mirror-file.ts";
import { fullName, type MirroredRepository, type MirrorPlan } from "./mirror-plan.ts";
import { isMarked, YamlFile } from "./yaml-file.ts";

/** A component can be part of any overlay; what has only `images` is no Kustomization. */
const COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n";

/**
 * `images` of kustomize: a new name for each repository. Tag and digest stay those of the manifests, which may have several of
 * one repository. kustomize compares names as they are written, so that each spelling of Docker Hub has an entry.
 */
export function kustomizeFiles({ target, registries }: MirrorPlan): RuntimeFiles {
  const names = registries
    .flatMap(({ repositories }) => repositories)
    .flatMap(one => spellingsOf(one).map(name => ({ name, newName: `${target.registry}/${one.target}` })));
  const file = {
    path: ["kustomization.yaml"],
    otherNames: ["kustomization.yml", "Kustomization"],
    content(existing: string | undefined, path: string): string {
      const file = new YamlFile(existing ?? COMPONENT, path);
      const images = file.list("images");
      const known = new Map(images.items.flatMap(item => (isMap(item) ? [[item.get("name"), item] as const] : [])));
      for (const { name, newName } of names) {
        const image = known.get(name);
        if (image === undefined) images.add(file.node({ name, newName: file.marked(newName) }));
        else if (image.get("newName") === undefined || isMarked(image.get("newName", true)))
          image.set("newName", file.marked(newName));
        else if (image.get("newName") !== newName) throw file.refusal(`another newName for ${name}`);
      }
      return file.text;
    },
  };
  return {
    files: names.length === 0 ? [] : [file],
    notPossible: [],
    notes: ["A new kustomization.yaml is a component: name its folder in components of an overlay"],
  };
}

/** How manifests may write a repository. */
function spellingsOf(one: MirroredRepository): readonly string[] {
  if (one.registry !== "docker.io") return [fullName(one)];
  const { repository } = one;
  const short = repository.replace(/^library\/(?=[^/]+$)/, "");
  return [...new Set([short, repository, `docker.io/${short}`, `docker.io/${repository}`])];
}
