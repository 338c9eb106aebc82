import { VERSION } from "../../util/version.ts";
import type { RequestCount } from "./request-counts.ts";

/** Media type of `metricsText` (Prometheus text format). */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What is measured in addition to requests. */
export interface Gauges {
  readonly connections: number;
  readonly transfers: number;
  readonly waiting: number;
  readonly traffic: { readonly received: number; readonly sent: number };
  readonly damage: number;
  readonly residentBytes: number;
  /** Seconds since 1970. */
  readonly startTime: number;
}

type Sample = readonly [labels: Readonly<Record<string, string | number>>, value: number, suffix?: string];

/** All numbers in the text format of Prometheus, 0.0.4. */
export function metricsText(counts: Iterable<RequestCount>, gauges: Gauges): string {
  const all = [...counts];
  const by = (value: (count: RequestCount) => number): Sample[] =>
    all.map(count => [{ method: count.method, route: count.route, status: count.status }, value(count)]);
  return [
    metric("imgpack_build_info", "gauge", "Version of imgpack; always 1.", [[{ version: VERSION }, 1]]),
    metric(
      "imgpack_requests_total",
      "counter",
      "Answered requests.",
      by(({ requests }) => requests),
    ),
    metric(
      "imgpack_cut_answers_total",
      "counter",
      "Answers that ended before their end.",
      by(({ cut }) => cut),
    ),
    metric(
      "imgpack_answer_bytes_total",
      "counter",
      "Body bytes of answers, also of those that were cut.",
      by(({ sentBytes }) => sentBytes),
    ),
    metric("imgpack_request_seconds", "summary", "Time from the head of a request to the end of its answer.", [
      ...all.map(({ method, route, status, seconds }): Sample => [{ method, route, status }, seconds, "_sum"]),
      ...all.map(({ method, route, status, requests }): Sample => [{ method, route, status }, requests, "_count"]),
    ]),
    metric("imgpack_received_bytes_total", "counter", "Bytes of HTTP from clients, heads included, TLS not.", [
      [{}, gauges.traffic.received],
    ]),
    metric("imgpack_sent_bytes_total", "counter", "Bytes of HTTP to clients, heads included, TLS not.", [
      [{}, gauges.traffic.sent],
    ]),
    metric("imgpack_open_connections", "gauge", "Open connections.", [[{}, gauges.connections]]),
    metric("imgpack_running_transfers", "gauge", "Requests that hold a slot for transfers.", [[{}, gauges.transfers]]),
    metric("imgpack_waiting_transfers", "gauge", "Requests that wait for such a slot.", [[{}, gauges.waiting]]),
    metric("imgpack_damage_found", "gauge", "Damaged parts of what is served, as far as they were read.", [
      [{}, gauges.damage],
    ]),
    metric("process_resident_memory_bytes", "gauge", "Memory of the process.", [[{}, gauges.residentBytes]]),
    metric("process_start_time_seconds", "gauge", "Start of the process, in seconds since 1970.", [
      [{}, gauges.startTime],
    ]),
  ].join("");
}

/** Values of labels come from this program alone, so that none needs escaping. */
function metric(name: string, type: "counter" | "gauge" | "summary", help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value, suffix = ""]) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
    return `${name}${suffix}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}
