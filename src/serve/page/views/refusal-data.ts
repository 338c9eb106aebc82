import type { Refusal } from "../../refusal.ts";

/** The error body of the distribution specification. */
export function refusalData({ code, message, detail }: Pick<Refusal, "code" | "message" | "detail">): unknown {
  return { errors: [detail === undefined ? { code, message } : { code, message, detail }] };
}
