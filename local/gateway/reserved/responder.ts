/** One feature of AWS IoT that answers on reserved topics. */
export type Publish = (topic: string, payload: string) => void;

/** The two ways to answer: to all subscribers and the topic rules, or to the client that asked alone (Jobs), if it listens. */
export interface Answers {
  readonly publish: Publish;
  readonly reply: Publish;
}

export interface Responder {
  readonly topic: RegExp;
  respond(match: RegExpExecArray, payload: Buffer, answers: Answers): void;
}
