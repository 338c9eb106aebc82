import type { FoundDamage, ServedBundle } from "../../../content/served-registry.ts";
import { type Html, html } from "../../html/html.ts";
import type { Catalogue } from "../../model/catalogue.ts";
import { commandLine, section } from "../../parts/blocks.ts";
import { bytes } from "../../parts/quantity.ts";
import { plainFileName } from "../fault-words.ts";
import type { PageRequest } from "../page-result.ts";

interface RepairStep {
  readonly text: string;
  readonly command: string;
}

/** What brings back what is missing or damaged, step by step. */
export function repairSection({ host, registry }: PageRequest, catalogue: Catalogue): Html {
  const steps = repairSteps(catalogue, registry.damage, host).map(
    ({ text, command }) => html`<li><div><p>${text}</p>${commandLine(command)}</div></li>`,
  );
  return section("fix", "How to fix it", undefined, html`<ol class="steps measure">${steps}</ol>`);
}

function repairSteps(
  { bundle, id, totals }: Catalogue,
  damage: readonly FoundDamage[],
  host: string,
): readonly RepairStep[] {
  if (bundle === undefined) {
    return [
      {
        text: "Push the images again: a push replaces what is damaged.",
        command: `imgpack push bundle.tar --registry ${host}`,
      },
    ];
  }
  const files = servedFiles(bundle);
  const [volume] = bundle.volumes?.missing ?? [];
  const steps: RepairStep[] = [];
  if (damage.some(({ hasChanged }) => hasChanged)) {
    const text = "A file has changed. If it is meant to be so, start again: what is in it now is served then.";
    steps.push({ text, command: `imgpack serve ${files}` });
    if (damage.every(({ hasChanged }) => hasChanged) && volume === undefined) return steps;
  }
  if (volume !== undefined) {
    const text = `If volume ${volume} is somewhere, start again with it. Volumes can be named in any order.`;
    steps.push({ text, command: `imgpack serve ${files} VOLUME-${volume}.tar` });
  }
  if (bundle.absent.some(({ why }) => why === "assumed")) {
    steps.push({ text: "A delta needs its base: serve both.", command: `imgpack serve BASE.tar ${files}` });
  }
  if (id === undefined) {
    steps.push({
      text: "Copy the archive again from where it came from, and look whether it arrived whole.",
      command: `imgpack verify ${files}`,
    });
    return steps;
  }
  return [
    ...steps,
    {
      text: "Write down what is missing. The list is small enough to carry out.",
      command: `imgpack verify ${files} --need need.json`,
    },
    {
      text: `On the connected side, fetch only that: at most ${bytes(totals.brokenBytes)}.`,
      command: "imgpack pull -f need.json -o patch.tar",
    },
    { text: "Back here, serve both. Nothing has to be joined.", command: `imgpack serve ${files} patch.tar` },
  ];
}

/** Names in a command; more than these are a placeholder. */
const MAX_NAMED = 4;

/** The files as a shell takes them. Their names are foreign, and people copy the line. */
export function servedFiles({ files }: ServedBundle): string {
  if (files.length === 0 || files.length > MAX_NAMED) return "FILE…";
  return files.map(({ name }) => shellWord(plainFileName(name))).join(" ");
}

function shellWord(text: string): string {
  if (/^[\w@%+=:,.][\w@%+=:,.-]*$/.test(text)) return text;
  return `'./${text.replaceAll("'", "'\\''")}'`;
}
