/**
 * One port for HTTP/1.1 and for HTTP/2 without TLS: the JavaScript SDK's Kinesis client speaks HTTP/2, also to an `http://` endpoint, with prior
 * knowledge (RFC 9113 §3.3). Which of the two a connection is stands in its first bytes.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createServer2, type Http2Server, type Http2ServerRequest } from 'node:http2';
import { createServer as createListener, type AddressInfo, type Server as SocketServer, type Socket } from 'node:net';

export type AnyRequest = IncomingMessage | Http2ServerRequest;
/** What an answer needs: Node's two kinds of response have it in common, but not as one type. */
export interface AnyResponse {
  writeHead(status: number, headers: Record<string, string>): unknown;
  write(chunk: Uint8Array): boolean;
  end(body?: string | Uint8Array): unknown;
  on(event: 'error', listener: () => void): unknown;
  once(event: 'drain', listener: (value: unknown) => void): unknown;
  destroy(error?: Error): unknown;
}

/** The first three bytes of the preface `PRI * HTTP/2.0` (RFC 9113 §3.4): no method of HTTP/1.1 begins so. */
const PREFACE = Buffer.from('PRI');

export class Listener {
  private readonly listener: SocketServer;
  private readonly http1: Server;
  private readonly http2: Http2Server;
  private readonly sockets = new Set<Socket>();

  constructor(serve: (request: AnyRequest, response: AnyResponse) => void) {
    this.http1 = createServer(serve);
    // SDK clients keep connections for longer than Node's default of 5 s; a request on one that was just closed would look like a lost answer.
    this.http1.keepAliveTimeout = 120_000;
    this.http2 = createServer2(serve);
    this.listener = createListener((socket) => this.accept(socket));
  }

  /** Resolves to the port. */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.listener.once('error', reject);
      this.listener.listen(port, '127.0.0.1', () => resolve((this.listener.address() as AddressInfo).port));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.listener.close(() => resolve());
      // Stops the server's own timers too, although it never listened.
      this.http1.closeAllConnections();
      this.http1.close();
      this.http2.close();
      for (const socket of this.sockets) socket.destroy();
    });
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    const ignore = (): void => undefined;
    // Until a server has taken the connection over, a client that goes away is nobody's error.
    socket.on('error', ignore);
    socket.once('data', (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      const server = first.subarray(0, PREFACE.length).equals(PREFACE) ? this.http2 : this.http1;
      server.emit('connection', socket);
      process.nextTick(() => socket.resume());
    });
  }
}
