/** What is counted of an answered request. */
export interface AnsweredRequest {
  readonly method: string;
  /** Kind of its path, one of a few. */
  readonly route: string;
  readonly status: number;
  readonly sentBytes: number;
  readonly isCut: boolean;
  readonly durationMs: number;
}

/** Counts of one kind of request. */
export interface RequestCount {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  requests: number;
  cut: number;
  sentBytes: number;
  seconds: number;
}

/** Others count as "other", so that a client cannot make more kinds. */
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Counts answered requests by method, kind of path and status: a few dozen numbers, however many requests come. */
export class RequestCounts {
  readonly #counts = new Map<string, RequestCount>();

  add({ method, route, status, sentBytes, isCut, durationMs }: AnsweredRequest): void {
    const known = METHODS.has(method) ? method : "other";
    const key = `${known} ${route} ${status}`;
    const count = this.#counts.get(key) ?? {
      method: known,
      route,
      status,
      requests: 0,
      cut: 0,
      sentBytes: 0,
      seconds: 0,
    };
    count.requests += 1;
    count.cut += isCut ? 1 : 0;
    count.sentBytes += sentBytes;
    count.seconds += durationMs / 1000;
    this.#counts.set(key, count);
  }

  all(): Iterable<RequestCount> {
    return this.#counts.values();
  }
}
