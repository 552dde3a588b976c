/**
 * Functions that run at the same time, call by call: each waits at its gate before every call of a neighbour, and whoever holds the schedule says who
 * passes next. The calls themselves are whole, as those of DynamoDB and AWS IoT are.
 */
import { Actor } from '../../inventory/turnstile.js';
import { crashing } from '../../revocation/memory/crashing.js';

export interface Kill {
  readonly n: number;
  readonly moment: 'before' | 'after';
}

/** What goes wrong with a task: it dies, or a call takes effect and its answer never comes. */
export interface Troubled {
  readonly kill?: Kill;
  readonly answerIsLost?: () => boolean;
}

export class Task {
  private readonly actor = new Actor();
  private readonly end: Promise<unknown>;

  /** `work` gets the same ports, gated; with `kill`, they die at that call. */
  constructor(
    readonly name: string,
    work: (gate: <T extends object>(ports: T) => T) => Promise<unknown>,
    ended: (error: unknown) => void,
    { kill, answerIsLost = () => false }: Troubled = {},
  ) {
    const gate = <T extends object>(ports: T): T => {
      const gated = gatedPorts(ports, this.actor, answerIsLost);
      return kill === undefined ? gated : crashing(gated, kill.n, kill.moment);
    };
    this.end = this.actor
      .start(() => work(gate))
      .then(
        () => ended(undefined),
        (error: unknown) => ended(error ?? new Error('failed with nothing')),
      );
  }

  get isOver(): boolean {
    return this.actor.finished;
  }

  /** One call further. */
  async turn(): Promise<void> {
    await this.actor.turn();
    if (this.isOver) await this.end;
  }
}

/** The clock and the signals are nobody's neighbours. */
const UNGATED: ReadonlySet<string | symbol> = new Set(['clock', 'signals']);

function gatedPorts<T extends object>(ports: T, { gated }: Actor, answerIsLost: () => boolean): T {
  const answered = async (act: () => unknown): Promise<unknown> => {
    const result = await act();
    if (answerIsLost()) throw new Error('the answer was lost');
    return result;
  };
  const portOf = (port: object): object =>
    new Proxy(port, {
      get(target, name, receiver) {
        const member: unknown = Reflect.get(target, name, receiver);
        if (typeof member !== 'function') return member;
        const call = (input: unknown[]): unknown => (member as (...input: unknown[]) => unknown).apply(target, input);
        if (member.constructor.name !== 'AsyncGeneratorFunction') return (...input: unknown[]) => gated(() => answered(() => call(input)));
        // `crashing` asks what kind of function it has before it.
        return async function* (...input: unknown[]) {
          yield* (await gated(async () => call(input))) as AsyncIterable<unknown>;
        };
      },
    });
  return new Proxy(ports, {
    get(target, name, receiver) {
      const port: unknown = Reflect.get(target, name, receiver);
      return UNGATED.has(name) || typeof port !== 'object' || port === null ? port : portOf(port);
    },
  });
}
