/**
 * The Node.js runtime of one execution environment: loads the handler of a bundle, then runs one invocation after the other. Plain
 * JavaScript without dependencies: it runs inside the function's process, where nothing of this repository can be resolved.
 *
 *     desk ── {invoke} ──► runner ── handler(event, context) ──► {result | error} ──► desk
 *                             └─ stdout, stderr: log lines, then one end mark each, so that the desk has every line of an invocation
 *
 * Wire: see execution-environment.ts. Behaviour: Lambda developer guide, "Define Lambda function handler in Node.js".
 */
'use strict';
const path = require('node:path');
const fs = require('node:fs');
const util = require('node:util');
const { pathToFileURL } = require('node:url');
const { setOffsetMs } = require('./simulated-time.cjs');

const END_MARK = '\u0000end ';
let requestId = '';
let handler;

// The desk decides when an environment ends; a terminal's Ctrl-C reaches the whole process group, also in the middle of an invocation.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(0));
process.on('message', (message) => void invoke(message));
process.on('uncaughtException', (error) => die(error));
process.on('unhandledRejection', (reason) => die(reason, 'Runtime.UnhandledPromiseRejection'));

patchConsole();
void init();

async function init() {
  try {
    handler = await loadHandler(process.env._HANDLER ?? 'index.handler', process.env.LAMBDA_TASK_ROOT ?? process.cwd());
    process.send({ kind: 'ready' });
  } catch (error) {
    process.send({ kind: 'initError', error: asError(error) }, () => process.exit(1));
  }
}

async function loadHandler(specification, root) {
  const at = specification.lastIndexOf('.');
  const [file, name] = [specification.slice(0, at), specification.slice(at + 1)];
  const found = ['.mjs', '.js', '.cjs'].map((extension) => path.join(root, file + extension)).find((candidate) => fs.existsSync(candidate));
  if (!found) throw Object.assign(new Error(`Cannot find module '${file}'`), { name: 'Runtime.ImportModuleError' });
  let loaded;
  try {
    loaded = found.endsWith('.mjs') ? await import(pathToFileURL(found).href) : require(found);
  } catch (error) {
    throw Object.assign(error, {
      name: error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND' ? 'Runtime.ImportModuleError' : error.name,
    });
  }
  const exported = loaded[name] ?? loaded.default?.[name];
  if (typeof exported !== 'function')
    throw Object.assign(new Error(`${specification} is undefined or not exported`), { name: 'Runtime.HandlerNotFound' });
  if (exported.length > 2)
    throw Object.assign(new Error('nodejs24.x has no callback-based handlers'), { name: 'Runtime.CallbackHandlerDeprecated' });
  return exported;
}

async function invoke({ requestId: id, event, offsetMs, timeoutMs, invokedFunctionArn }) {
  requestId = id;
  setOffsetMs(offsetMs);
  const deadline = performance.now() + timeoutMs;
  const context = {
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: '$LATEST',
    invokedFunctionArn,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: id,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, Math.round(deadline - performance.now())),
  };
  try {
    const result = await handler(JSON.parse(event), context);
    answer({ kind: 'result', requestId: id, payload: JSON.stringify(result ?? null) });
  } catch (error) {
    console.error('Invoke Error', JSON.stringify(asError(error)));
    answer({ kind: 'error', requestId: id, error: asError(error) });
  }
}

function answer(message) {
  process.stdout.write(`${END_MARK}${requestId}\n`);
  process.stderr.write(`${END_MARK}${requestId}\n`);
  process.send({ ...message, maxMemoryMiB: Math.round(process.memoryUsage.rss() / 1_048_576) });
}

function asError(error, type) {
  if (!(error instanceof Error)) return { errorType: type ?? typeof error, errorMessage: util.format(error), trace: [] };
  return { errorType: type ?? error.name, errorMessage: error.message, trace: String(error.stack).split('\n') };
}

/** An error outside every handler ends the environment, as in Lambda. */
function die(error, type) {
  process.send?.({ kind: 'error', requestId, error: asError(error, type), fatal: true }, () => process.exit(129));
}

/**
 * console.* as in Lambda: time, request id, level and message, separated by tabs, or a JSON object where the function's log format is JSON.
 * A line break inside a message travels as a carriage return: one call is one log event.
 */
function patchConsole() {
  const json = process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
  const write =
    (level) =>
    (...args) => {
      const timestamp = new Date().toISOString();
      const message = util.format(...args);
      const line = json
        ? JSON.stringify({ timestamp, level, requestId, message: args.length === 1 && typeof args[0] === 'object' ? args[0] : message })
        : `${timestamp}\t${requestId}\t${level}\t${message}`;
      process.stdout.write(`${line.replaceAll('\n', '\r')}\n`);
    };
  console.log = write('INFO');
  console.info = write('INFO');
  console.warn = write('WARN');
  console.error = write('ERROR');
  console.debug = write('DEBUG');
  console.trace = write('TRACE');
}
