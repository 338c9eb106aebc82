export type InputRule = "zeros" | "noise" | "words" | "phrase" | "echo";

export interface InputPart {
  readonly rule: InputRule;
  readonly bytes: number;
  /** For "noise": number of different byte values, 256 unless given. */
  readonly values?: number;
}

/** The bytes of a test vector; the rules are told where they are written down. */
export function gzipInput(parts: readonly InputPart[]): Uint8Array;
