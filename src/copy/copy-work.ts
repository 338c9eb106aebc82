import type { CopyPlan, PendingBlob, TargetSession } from "../content/contracts.ts";
import type { Descriptor } from "../oci/descriptor.ts";

/** A blob that is to be copied. */
export type Work =
  | { readonly bytes: number; readonly blob: Descriptor }
  | { readonly bytes: number; readonly pending: PendingBlob };

/** Largest first keeps every worker busy to the end; some targets need their own order. */
export function orderWork(plan: CopyPlan, { order }: TargetSession): readonly Work[] {
  const work: Work[] = [
    ...plan.blobs.map(blob => ({ bytes: blob.size, blob })),
    ...plan.pending.map(pending => ({ bytes: pending.sourceBytes, pending })),
  ];
  if (order === undefined) return work.sort((left, right) => right.bytes - left.bytes);
  const indexes = new Map(order.map((digest, index) => [digest, index]));
  const indexOf = (item: Work): number => indexes.get(originOf(item).digest) ?? order.length;
  return work.sort((left, right) => indexOf(left) - indexOf(right));
}

/** The same for the same bytes. */
export function keyOf(item: Work): string {
  return "blob" in item ? item.blob.digest : item.pending.key;
}

/** As the source has it. */
export function originOf(item: Work): Descriptor {
  return "blob" in item ? item.blob : item.pending.origin;
}
