import { formatListed } from "../../bundle/list/format-listed.ts";
import type { ListedReferences } from "../../bundle/list/listed-reference.ts";
import { refusedError } from "../../bundle/list/refused-texts.ts";
import type { UsageError } from "../../errors.ts";
import { escapeForeign } from "../../util/format.ts";

/**
 * Lines of a list: the reference, how sure it is, and where it was found, separated by tabs.
 *
 * @param isGuessed whether likely references count; if not, they are comments.
 */
export function referenceLines({ references }: ListedReferences, isGuessed: boolean): readonly string[] {
  return references.map(listed => {
    const { class: kind, file, line } = listed;
    const comment = kind === "likely" && !isGuessed ? "# " : "";
    return `${comment}${formatListed(listed)}\t${kind}\t${escapeForeign(file)}:${line}`;
  });
}

/** What is said of likely references: none of them is left out, or taken, without a word. */
export function listNotes({ references }: ListedReferences, isGuessed: boolean): readonly string[] {
  const likely = references
    .filter(({ class: kind }) => kind === "likely")
    .map(({ reference, file, line }) => {
      const state = isGuessed ? "is taken as an image" : "may be an image, --guess takes it";
      return `${escapeForeign(file)}:${line}: ${reference} ${state}`;
    });
  return [...likely, ...pauseNotes(references.map(({ reference }) => reference))];
}

/**
 * A hint for lists of kubeadm: they name the pause image of kubeadm, and containerd asks for the one of its own
 * `sandbox_image`, which is often another version (kubernetes/kubeadm#2801).
 */
export function pauseNotes(references: readonly string[]): readonly string[] {
  const pauses = new Set(references.filter(text => /(?:^|\/)pause[:@]/.test(text)));
  const [pause, ...others] = pauses;
  const isOfKubeadm = references.some(text => /(?:^|\/)kube-apiserver[:@]/.test(text));
  if (pause === undefined || others.length > 0 || !isOfKubeadm) return [];
  return [
    `${pause} is the pause image of kubeadm; containerd may need another version: add the sandbox_image of its config.toml`,
  ];
}

/** One error for all that cannot be taken. */
export function refusedOf({ refused }: ListedReferences): UsageError | undefined {
  return refused.length === 0 ? undefined : refusedError(refused);
}
