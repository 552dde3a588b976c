/**
 * Reserved topics that AWS IoT itself answers. One responder per feature; device shadows are served here, Jobs and commands by their service,
 * which comes in through `add`. A request that no responder takes is swallowed, as on AWS when nobody listens.
 */
import type { DeskClock } from '../../world/clock.js';
import type { Publish, Responder } from './responder.js';
import { shadowResponder } from './shadow-responder.js';
import { ShadowStore } from './shadow-store.js';

/** Request topics of features that the desk does not serve: publishing there is allowed, nothing answers (README). */
const UNSERVED = [
  /^\$aws\/certificates\/create/,
  /^\$aws\/provisioning-templates\//,
  /^\$aws\/things\/[^/]+\/defender\/metrics\/cbor/,
  /^\$aws\/things\/[^/]+\/streams\//,
  /^\$aws\/commands\/(things|clients)\/[^/]+\/executions\/[^/]+\/response(\/cbor)?$/,
];

/**
 * Filters that may be subscribed below `$aws/commands/`: `+` may stand for an id and never for the payload format. "Unsupported publish or subscribe
 * operations to reserved topics can result in a terminated connection" (reserved-topics.html); for `…/request/+` AWS has been seen to do so.
 */
const COMMAND_FILTER =
  /^\$aws\/commands\/(things|clients)\/[^/#]+\/executions\/[^/#]+\/(request|response\/accepted|response\/rejected)(\/(json|cbor))?$/;

export class ReservedTopics {
  readonly shadows: ShadowStore;
  private readonly responders: Responder[] = [];

  constructor(
    private readonly publish: Publish,
    clock: DeskClock,
  ) {
    this.shadows = new ShadowStore(clock);
    this.add(shadowResponder(this.shadows));
  }

  add(responder: Responder): void {
    this.responders.push(responder);
  }

  /** True when the topic is a request to AWS IoT, answered or not. */
  answer(topic: string, payload: Buffer, reply: Publish): boolean {
    if (!topic.startsWith('$aws/')) return false;
    for (const responder of this.responders) {
      const match = responder.topic.exec(topic);
      if (!match) continue;
      responder.respond(match, payload, { publish: this.publish, reply });
      return true;
    }
    return UNSERVED.some((pattern) => pattern.test(topic)) && !/\/(accepted|rejected)$/.test(topic);
  }

  /** Whether a client may subscribe to a filter at all. */
  offers(filter: string): boolean {
    return !filter.startsWith('$aws/commands/') || COMMAND_FILTER.test(filter);
  }

  /** Whether a client may publish there at all: requests and Basic Ingest; what AWS IoT itself sends is not for clients. */
  accepts(topic: string): boolean {
    if (!topic.startsWith('$')) return true;
    if (/\/(accepted|rejected|delta|documents)$/.test(topic)) return false;
    return (
      topic.startsWith('$aws/rules/') ||
      [...this.responders.map((responder) => responder.topic), ...UNSERVED].some((pattern) => pattern.test(topic))
    );
  }
}
