import { append } from "../../../../util/append.ts";
import type { Step } from "../image-details.ts";
import { type AlignedPair, align } from "./align.ts";

export type StepChange = "same" | "changed" | "new" | "gone";

/** A step of A and a step of B, side by side; one is missing for "new" and "gone". */
export interface ComparedStep extends AlignedPair<Step> {
  readonly change: StepChange;
}

/** Compressed bytes of layers, each layer once. */
export interface ComparedBytes {
  readonly onlyA: number;
  readonly both: number;
  readonly onlyB: number;
}

export interface ComparedSteps {
  readonly rows: readonly ComparedStep[];
  readonly bytes: ComparedBytes;
  /** Layers of B that A does not have, each once. */
  readonly newLayers: number;
  /** Layers of B that A has, too, each once. */
  readonly sameLayers: number;
}

/**
 * Compares the steps of two builds. Equal are steps with the same layer, and steps without a layer and with the same
 * instruction; between equal ones, a step that says the same, or at least begins with the same word, is the changed one.
 */
export function compareSteps(a: readonly Step[], b: readonly Step[]): ComparedSteps {
  const rows: ComparedStep[] = [];
  let gap: AlignedPair<Step>[] = [];
  const closeGap = (): void => {
    append(rows, changedRows(gap));
    gap = [];
  };
  for (const pair of align(a, b, isSame)) {
    if (pair.a === undefined || pair.b === undefined) {
      gap.push(pair);
      continue;
    }
    closeGap();
    rows.push({ ...pair, change: "same" });
  }
  closeGap();
  return { rows, ...countLayers(a, b) };
}

function isSame(a: Step, b: Step): boolean {
  if (a.layer === undefined || b.layer === undefined) return a.layer === b.layer && a.createdBy === b.createdBy;
  return a.layer.digest === b.layer.digest;
}

function changedRows(gap: readonly AlignedPair<Step>[]): readonly ComparedStep[] {
  const own = gap.flatMap(({ a }) => a ?? []);
  const other = gap.flatMap(({ b }) => b ?? []);
  return align(own, other, isAlike).map(pair => ({
    ...pair,
    change: pair.a === undefined ? "new" : pair.b === undefined ? "gone" : "changed",
  }));
}

/** Steps without bytes are alike only if they set the same thing: `ENV` alone says too little. */
function isAlike(a: Step, b: Step): boolean {
  if ((a.layer === undefined) !== (b.layer === undefined)) return false;
  return wordsOf(a) === wordsOf(b);
}

function wordsOf({ createdBy = "", layer }: Step): string {
  const text = createdBy.slice(0, MAX_COMPARED).replace(/^(?:RUN )?\/bin\/sh -c (?:#\(nop\) +)?/, "");
  return text
    .split(/[\s=]+/, layer === undefined ? 2 : 3)
    .join(" ")
    .toLowerCase();
}

const MAX_COMPARED = 256;

function countLayers(a: readonly Step[], b: readonly Step[]): Omit<ComparedSteps, "rows"> {
  const [own, other] = [layersOf(a), layersOf(b)];
  const sum = (sizes: Iterable<number>): number => [...sizes].reduce((total, size) => total + size, 0);
  const both = [...other].filter(([digest]) => own.has(digest));
  const onlyB = [...other].filter(([digest]) => !own.has(digest));
  const bothBytes = sum(both.map(([, size]) => size));
  return {
    bytes: {
      onlyA: sum(own.values()) - sum(both.map(([digest]) => own.get(digest) ?? 0)),
      both: bothBytes,
      onlyB: sum(onlyB.map(([, size]) => size)),
    },
    newLayers: onlyB.length,
    sameLayers: both.length,
  };
}

function layersOf(steps: readonly Step[]): ReadonlyMap<string, number> {
  return new Map(steps.flatMap(({ layer }) => (layer === undefined ? [] : [[layer.digest, layer.size] as const])));
}
