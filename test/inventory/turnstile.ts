/**
 * Interleaves two actors call by call: each of them waits at its gate before every call to the world they share, and a schedule says who may
 * pass next. The calls themselves are real (here: DynamoDB of the desk), so the schedule is all that differs between two runs.
 */
import { setImmediate as tick } from 'node:timers/promises';

export class Actor {
  private readonly waiting: (() => void)[] = [];
  private underWay = 0;
  finished = false;

  /** `call`, when it is this actor's turn. */
  readonly gated = async <T>(call: () => Promise<T>): Promise<T> => {
    await new Promise<void>((pass) => this.waiting.push(pass));
    this.underWay += 1;
    try {
      return await call();
    } finally {
      this.underWay -= 1;
    }
  };

  start(work: () => Promise<unknown>): Promise<unknown> {
    return this.gated(work).finally(() => {
      this.finished = true;
    });
  }

  /** Lets one call pass, and waits until the actor stands at its gate again or is through. */
  async turn(): Promise<void> {
    this.waiting.shift()?.();
    await this.atRest();
  }

  async atRest(): Promise<void> {
    do await tick();
    while (!this.finished && this.waiting.length === 0);
    await tick();
  }
}

/** Runs both to their end. `schedule`: which of the two has the next turn; where it ends, the first goes on until it is through. */
export async function interleave(
  one: (actor: Actor) => Promise<unknown>,
  other: (actor: Actor) => Promise<unknown>,
  schedule: Iterable<0 | 1>,
): Promise<void> {
  const actors = [new Actor(), new Actor()] as const;
  const ends = Promise.all([actors[0].start(() => one(actors[0])), actors[1].start(() => other(actors[1]))]);
  // A failure shows at the end; until then it must not count as unhandled.
  ends.catch(() => undefined);
  for (const actor of actors) await actor.atRest();
  for (const choice of schedule) {
    const chosen = actors[choice].finished ? actors[1 - choice]! : actors[choice];
    if (!chosen.finished) await chosen.turn();
  }
  for (const actor of actors) while (!actor.finished) await actor.turn();
  await ends;
}
