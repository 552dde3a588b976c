/**
 * Custom resources: the function behind one is invoked with RequestType Create and answers with a PUT to the ResponseURL (CloudFormation
 * user guide, "Custom resource request objects"). The URL is a small server of the deployer on loopback, open while it is needed.
 */
import { randomUUID } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cloud } from '../cloud.js';
import type { Created } from './provider.js';

interface Answer {
  readonly Status?: string;
  readonly Reason?: string;
  readonly PhysicalResourceId?: string;
  readonly Data?: Readonly<Record<string, unknown>>;
}

/** CloudFormation waits an hour; who sits before a desk does not. */
const WAIT_MS = 120_000;
const PATH = '/_desk/cloudformation/';

export const isCustom = (type: string): boolean => type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource';

export class CustomResources {
  private readonly waiting = new Map<string, (answer: Answer) => void>();
  private server: Server | undefined;

  constructor(private readonly cloud: Cloud) {}

  async create(stackId: string, logicalId: string, type: string, properties: Readonly<Record<string, unknown>>): Promise<Created> {
    const serviceToken = String(properties.ServiceToken);
    if (!serviceToken.startsWith('arn:aws:lambda:')) throw new Error(`ServiceToken: got ${serviceToken}, expected the ARN of a function`);
    const token = randomUUID();
    const answered = new Promise<Answer>((resolve) => this.waiting.set(token, resolve));
    const request = {
      RequestType: 'Create',
      ServiceToken: serviceToken,
      ResponseURL: `${await this.url()}${PATH}${token}`,
      StackId: stackId,
      RequestId: token,
      LogicalResourceId: logicalId,
      ResourceType: type,
      ResourceProperties: asTexts(properties),
    };
    const invoked = this.cloud.parts.invoke!(serviceToken, request, 'cloudformation').then(async (result): Promise<Answer> => {
      if (!result.ok) return { Status: 'FAILED', Reason: `${result.errorType}: ${result.errorMessage}` };
      return answered;
    });
    const answer = await withTimeout(Promise.race([answered, invoked]), `the function did not answer within ${WAIT_MS / 1000} s`);
    this.waiting.delete(token);
    if (answer.Status !== 'SUCCESS') throw new Error(answer.Reason ?? `the function answered ${JSON.stringify(answer)}`);
    return { ref: answer.PhysicalResourceId ?? token, attributes: answer.Data ?? {} };
  }

  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  private async url(): Promise<string> {
    if (!this.server) {
      this.server = createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          const take = request.method === 'PUT' ? this.waiting.get((request.url ?? '').slice(PATH.length)) : undefined;
          response.writeHead(take ? 200 : 404).end();
          take?.(parse(Buffer.concat(chunks).toString()));
        });
      });
      await new Promise<void>((resolve) => this.server!.listen(0, '127.0.0.1', resolve));
    }
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
}

function parse(body: string): Answer {
  try {
    return JSON.parse(body) as Answer;
  } catch {
    return { Status: 'FAILED', Reason: `the function's answer is not JSON: ${body.slice(0, 200)}` };
  }
}

/** CloudFormation hands numbers and booleans to the function as texts. */
function asTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asTexts);
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asTexts(item)]));
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

async function withTimeout<T>(promise: Promise<T>, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(message)), WAIT_MS);
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
