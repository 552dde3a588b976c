/** Thrown in place of an answer: the process died. What it had done up to then stays done. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

type Methods = Record<string, (...given: never[]) => unknown>;

/** The same ports, with `after` called when a call has been carried out and before its answer is given. */
export function everyCall<P extends object>(ports: P, after: (call: string) => void, except: readonly (keyof P)[] = []): P {
  const wrapped: Record<string, unknown> = {};
  for (const [portName, port] of Object.entries(ports)) {
    if ((except as readonly string[]).includes(portName)) {
      wrapped[portName] = port;
      continue;
    }
    const methods: Record<string, unknown> = {};
    for (const [method, call] of Object.entries(port as Methods)) {
      methods[method] = (...given: never[]): unknown => {
        const answer = call(...given);
        if (!(answer instanceof Promise)) {
          after(`${portName}.${method}`);
          return answer;
        }
        return answer.then((value: unknown) => {
          after(`${portName}.${method}`);
          return value;
        });
      };
    }
    wrapped[portName] = methods;
  }
  return wrapped as P;
}
