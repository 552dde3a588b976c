/** The end of the process, as a test makes it happen. */
export class Death extends Error {
  constructor() {
    super('the process died');
    this.name = 'Death';
  }
}

/**
 * The same ports, until the n-th call of any of them: the process dies before that call, or right after it has taken effect. From then on every
 * call fails: a dead process does nothing. The clock and the signals are not neighbours that keep anything.
 */
export function crashing<T extends object>(ports: T, n: number, moment: 'before' | 'after'): T {
  let calls = 0;
  const call = async (act: () => unknown): Promise<unknown> => {
    calls += 1;
    if (calls > n || (calls === n && moment === 'before')) throw new Death();
    const result = await act();
    if (calls >= n) throw new Death();
    return result;
  };
  const portOf = (port: object): object =>
    new Proxy(port, {
      get(target, name, receiver) {
        const member: unknown = Reflect.get(target, name, receiver);
        if (typeof member !== 'function') return member;
        return (...input: unknown[]) => {
          const isStream = member.constructor.name === 'AsyncGeneratorFunction';
          const act = (): unknown => (member as (...input: unknown[]) => unknown).apply(target, input);
          return isStream ? streamOf(call, act) : call(act);
        };
      },
    });
  return new Proxy(ports, {
    get(target, name, receiver) {
      const port: unknown = Reflect.get(target, name, receiver);
      const keepsNothing = name === 'clock' || name === 'signals' || name === 'arns';
      return keepsNothing || typeof port !== 'object' || port === null ? port : portOf(port);
    },
  });
}

async function* streamOf(call: (act: () => unknown) => Promise<unknown>, act: () => unknown): AsyncGenerator<unknown> {
  yield* (await call(act)) as AsyncIterable<unknown>;
}
