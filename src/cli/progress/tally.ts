import type { BlobLabel, ProgressEvent } from "../../index.ts";
import { Meter } from "./meter.ts";
import type { BlobState, Count, ProgressState } from "./progress-state.ts";
import { WaitTally } from "./wait-tally.ts";

type EventOf<Kind extends ProgressEvent["kind"]> = Extract<ProgressEvent, { readonly kind: Kind }>;

/** Between two calls of `tick`: only a process that is stopped takes so long. */
const ASLEEP_MS = 5000;

/** A blob without bytes for so long is waited for, */
const IDLE_MS = 3000;
/** and for so often the usual time between two moves: a slow line is no wait. */
const IDLE_GAPS = 2;

interface UnderWay {
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** One blob may go to two repositories at a time. */
  times: number;
  size: number;
  readonly startedMs: number;
  movedMs: number;
  readonly meter: Meter;
}

/** Adds up the events of a call. An event costs the same however many came before. */
export class Tally {
  /** Grows with each event that says that the call came further. */
  changes = 0;
  /** When the last of them came. */
  changedMs: number;
  readonly #transfer = new Meter();
  /** While an archive is read from front to back: only its own size says how much is left. */
  #reading: Meter | undefined;
  /** Blobs are hashed or sent while they are read. */
  #isMoving = false;
  /** Images whose blobs are planned later, while those of others move: until then, the totals grow. */
  #unplanned = 0;
  #step: EventOf<"step"> | undefined;
  readonly #images = { done: 0, failed: 0, total: 0 };
  readonly #blobs = { done: 0, total: 0 };
  readonly #underWay = new Map<BlobLabel, UnderWay>();
  readonly #waits = new WaitTally();
  /** When `tick` was called, and the changes until then. */
  #tickedMs: number;
  #tickedChanges = 0;

  constructor(nowMs: number) {
    this.changedMs = nowMs;
    this.#tickedMs = nowMs;
  }

  /**
   * To be called twice a second, or the time in between counts as sleep. Time in which a registry did not answer any more, limited
   * requests, or this machine slept is in no rate.
   */
  tick(nowMs: number): void {
    const passedMs = nowMs - this.#tickedMs;
    const isHeld = this.changes === this.#tickedChanges && this.#waits.isHeld(nowMs);
    if (isHeld || passedMs > ASLEEP_MS)
      for (const meter of [this.#transfer, this.#reading]) meter?.leaveOut(passedMs, nowMs);
    this.#tickedMs = nowMs;
    this.#tickedChanges = this.changes;
  }

  /** That are planned. */
  get images(): number {
    return this.#images.total;
  }

  count(event: ProgressEvent, nowMs: number): void {
    if (event.kind === "note") return;
    this.#waits.count(event, nowMs);
    if (event.kind === "retry" || event.kind === "waiting" || event.kind === "resumed") return;
    this.changes += 1;
    this.changedMs = nowMs;
    switch (event.kind) {
      case "planned":
        this.#unplanned += event.unplanned ?? 0;
        this.#transfer.total = (this.#transfer.total ?? 0) + event.bytes;
        this.#blobs.total += event.blobs;
        this.#images.total += event.images ?? 0;
        return;
      case "step":
        // Other images may be under way: how much of all of them has moved says more.
        if (this.#underWay.size === 0 && !this.#isOfOneImage(event)) this.#step = event;
        return;
      case "image":
        this.#images[event.state] += 1;
        return;
      case "reading":
        this.#read(event, nowMs);
        return;
      default:
        this.#countBlob(event, nowMs);
    }
  }

  state(verb: string, nowMs: number): ProgressState {
    const meter = this.#reading ?? this.#transfer;
    // Nothing is planned while things are only read.
    const isNothing = this.#reading === undefined && meter.total === 0 && meter.bytes === 0;
    const isGrowing = this.#reading === undefined && this.#unplanned > 0;
    return {
      verb: this.#reading === undefined || this.#isMoving ? verb : "Reading",
      bytes: meter.bytes,
      total: isNothing ? undefined : meter.total,
      isGrowing,
      rate: meter.rate(nowMs),
      secondsLeft: isGrowing ? undefined : meter.secondsLeft(nowMs),
      images: this.#reading === undefined ? countOf(this.#images) : undefined,
      failed: this.#images.failed,
      blobs: this.#reading === undefined ? countOf(this.#blobs) : undefined,
      step: this.#step,
      underWay: [...this.#underWay].map(([blob, one]) => stateOf(blob, one, nowMs)),
      waits: this.#waits.states(nowMs),
    };
  }

  /** Whether a step is of one of several images: manifests are put for each image, and other steps of all have as many parts. */
  #isOfOneImage({ step, total }: EventOf<"step">): boolean {
    const images = this.#images.total;
    return images > 1 && (step === "commit" || (total !== undefined && total < images));
  }

  #countBlob(event: EventOf<"started" | "stopped" | "bytes" | "skipped" | "done">, nowMs: number): void {
    const { blob } = event;
    const known = this.#underWay.get(blob);
    switch (event.kind) {
      case "started":
        this.#start(event, known, nowMs);
        return;
      case "bytes":
        this.#step = undefined;
        this.#isMoving = true;
        this.#transfer.move(event.delta, nowMs);
        if (known === undefined) return;
        known.meter.move(event.delta, nowMs);
        known.movedMs = nowMs;
        return;
      case "skipped":
        this.#transfer.skip(event.bytes);
        if (event.isRepeated !== true) this.#blobs.done += 1;
        break;
      case "done":
        this.#blobs.done += 1;
    }
    if (known === undefined) return;
    known.times -= 1;
    if (known.times === 0) this.#underWay.delete(blob);
  }

  #start({ blob, bytes, from, to }: EventOf<"started">, known: UnderWay | undefined, nowMs: number): void {
    this.#step = undefined;
    this.#transfer.start(nowMs);
    if (known !== undefined) {
      known.times += 1;
      known.size += bytes;
      return;
    }
    const meter = new Meter(false);
    meter.start(nowMs);
    this.#underWay.set(blob, { from, to, times: 1, size: bytes, startedMs: nowMs, movedMs: nowMs, meter });
  }

  #read({ bytes, total }: EventOf<"reading">, nowMs: number): void {
    if (bytes === total) {
      this.#reading = undefined;
      return;
    }
    if (this.#reading === undefined) this.#isMoving = false;
    const reading = this.#reading ?? new Meter();
    reading.move(bytes - reading.bytes, nowMs);
    reading.total = total;
    this.#reading = reading;
  }
}

function countOf({ done, total }: { readonly done: number; readonly total: number }): Count | undefined {
  return total === 0 ? undefined : { done, total };
}

function stateOf(blob: BlobLabel, { size, startedMs, movedMs, meter, from, to }: UnderWay, nowMs: number): BlobState {
  const idleMs = nowMs - movedMs;
  const isIdle = idleMs >= Math.max(IDLE_MS, IDLE_GAPS * meter.gapMs);
  const times = { ageMs: nowMs - startedMs, idleMs, isIdle };
  return { blob, bytes: meter.bytes, size, rate: meter.rate(nowMs), ...times, from, to };
}
