/**
 * How the server is asked. Paths, parameters and answers have the types of the server's own
 * contract: `generated/schema.ts` is made of its OpenAPI document whenever the sidebar is built.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import createClient from 'openapi-fetch';

import type { paths } from '../generated/schema';
import { VERSION } from '../generated/version';

/** Why a request has no answer. `type` is the problem's family, `status` 0 if no server spoke. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly type: string
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** Whether the folder is simply not in a project, which is a normal state. */
  get isNotAProject(): boolean {
    return this.type === 'urn:workbench:not-a-project';
  }

  /** Whether a Jupyter server answered that doesn't have our routes. */
  get isNotInstalled(): boolean {
    return this.status === 404 && this.type === '';
  }
}

/** The version of the server's side where it isn't ours; null where it is, or isn't known yet. */
export let otherVersion: string | null = null;

const settings = ServerConnection.makeSettings();

export const API_URL = URLExt.join(settings.baseUrl, 'workbench', 'api');

/** Ask Jupyter's own way: its token or cookie, and what keeps forged requests out, travel along. */
export async function fetchAnswer(url: string, init: RequestInit): Promise<Response> {
  const response = await ServerConnection.makeRequest(url, init, settings);
  const theirs = response.headers.get('X-Workbench-Version');
  otherVersion = theirs !== null && theirs !== VERSION ? theirs : null;
  return response;
}

/** The operations: `ask(api.GET('/runs', { params: { query: { path } } }))`. */
export const api = createClient<paths>({
  baseUrl: API_URL,
  fetch: async request => {
    const { method, signal } = request;
    const body = method === 'GET' ? undefined : await request.text();
    const headers = body ? { 'Content-Type': 'application/json' } : undefined;
    return fetchAnswer(request.url, { method, body, headers, signal });
  }
});

interface IProblem {
  readonly detail?: string;
  readonly type?: string;
}

interface IAnswered<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/**
 * Wait for an answer.
 *
 * @throws ApiError if there is no usable one; the browser's AbortError if it was called off.
 */
export async function ask<T>(asked: Promise<IAnswered<T>>): Promise<T> {
  let answered: IAnswered<T>;
  try {
    answered = await asked;
  } catch (error) {
    if ((error as Error).name === 'AbortError') {
      throw error;
    }
    throw new ApiError(String((error as Error).message), 0, '');
  }
  if (answered.error === undefined && answered.data !== undefined) {
    return answered.data;
  }
  throw problemOf(answered.response, answered.error);
}

/** What a refusal says of itself. */
export function problemOf(response: Response, said: unknown): ApiError {
  const problem = (typeof said === 'object' && said ? said : {}) as IProblem;
  const { status, statusText } = response;
  const message = problem.detail ?? `${status} ${statusText}`;
  return new ApiError(message, status, problem.type ?? '');
}
