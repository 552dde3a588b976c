/** Seeded trouble. All off by default; the seed is printed, so that a run can be repeated. */
export interface FaultSettings {
  /** Share of requests answered with the service's throttling error before anything happened. */
  readonly throttle: number;
  /** Share answered with a 5xx before anything happened. */
  readonly serverError: number;
  /** Share carried out, whose answer is lost (the connection is cut). */
  readonly lostAnswer: number;
  /** Share of deliveries (queue, event, topic) that arrive twice. */
  readonly duplicate: number;
  /** Share of deliveries that are put behind later ones. */
  readonly reorder: number;
  /** Share of best-effort events (EventBridge events of ACM PCA) that never arrive. */
  readonly lostEvent: number;
  /** Only requests to these, for instance `iot:UpdateCertificate`; absent: all. */
  readonly only?: readonly string[];
  /** Enforce the request quotas of AWS (FACTS B12) with token buckets. */
  readonly quotas?: boolean;
}

export interface Faults {
  readonly seed: number;
  set(settings: Partial<FaultSettings>): void;
  /** What shall happen to this request, `service:Operation`. */
  request(action: string): 'none' | 'throttle' | 'serverError' | 'lostAnswer';
  delivery(): { readonly copies: number; readonly delayMs: number };
  losesEvent(): boolean;
  /** AWS's quotas are enforced: services with limits of another kind than requests a second ask. */
  readonly quotasOn: boolean;
  /** Uniform in [0, 1) from the seed. */
  random(): number;
}
