/** One feature of AWS IoT that answers on reserved topics. */
export type Publish = (topic: string, payload: string) => void;

export interface Responder {
  readonly topic: RegExp;
  respond(match: RegExpExecArray, payload: Buffer, publish: Publish): void;
}
