/**
 * The system asks a peer that is silent for so long whether it is still there (TCP keep-alive), and ends the connection after ten
 * questions, one each second: a peer that has vanished is noticed before the idle timeout. It asks nothing while bytes that
 * were sent are not acknowledged.
 */
export const PROBE_AFTER_MS = 15_000;
