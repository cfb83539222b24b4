/**
 * What the server extension answers: the Python records as types, and the one function that asks.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** The project that a folder is in: `workbench.server.routes.ProjectInfo`. */
export interface IProject {
  readonly name: string;
  /** The absolute path of the project's root. */
  readonly root: string;
  /** The root as the file browser names it; null if it is above the folder Jupyter serves. */
  readonly folder: string | null;
}

export type ChangeState =
  'added' | 'modified' | 'deleted' | 'renamed' | 'unmerged' | 'untracked';

/** A path that differs from the last commit: `workbench.git.ChangedFile`. */
export interface IChangedFile {
  readonly path: string;
  readonly state: ChangeState;
}

/** Where the work tree stands: `workbench.git.Status`. Outside Git, all is null and empty. */
export interface IBranch {
  readonly branch: string | null;
  readonly commit: string | null;
  readonly detached: boolean;
  readonly changed: readonly IChangedFile[];
}

/** A stored number. JSON has none for the last three, so the server says them in words. */
export type Metric = number | 'NaN' | 'Infinity' | '-Infinity';

export type Metrics = Readonly<Record<string, Metric>>;

/** An MLflow run: `workbench.tracking.RunRecord`. Times are ISO 8601 in UTC. */
export interface IRun {
  readonly run_id: string;
  readonly name: string;
  readonly experiment: string;
  readonly status: string;
  readonly start_time: string;
  readonly end_time: string | null;
  readonly params: Readonly<Record<string, string>>;
  readonly metrics: Metrics;
  readonly tags: Readonly<Record<string, string>>;
  readonly user: string;
  readonly lifecycle_stage: string;
  readonly artifact_uri: string;
}

/** A version of a model, which never changes: `workbench.registry.Version`. */
export interface IModelVersion {
  readonly version: string;
  readonly run_id: string;
  readonly metrics: Metrics;
  readonly aliases: readonly string[];
  /** The outcome of its newest gate; null if it never went through one. */
  readonly gate: 'passed' | 'failed' | null;
  readonly created_at: string;
}

/** A registered model, its newest version first: `workbench.registry.Model`. */
export interface IModel {
  readonly name: string;
  readonly aliases: Readonly<Record<string, string>>;
  readonly versions: readonly IModelVersion[];
}

/** A feature's values, window by window: their means, or the numbers of rows. */
export interface ISparkline {
  readonly since: string;
  readonly until: string;
  readonly rows: number;
  readonly points: readonly (number | null)[];
}

/** One feature of the catalogue: `workbench.features.FeatureEntry`. */
export interface IFeature {
  readonly name: string;
  readonly view: string;
  readonly feature: string;
  readonly description: string;
  readonly view_description: string;
  /** The type of its values; null where that isn't known before there are some. */
  readonly dtype: string | null;
  readonly formula: string | null;
  readonly entity: readonly string[];
  readonly owner: string;
  readonly tags: readonly string[];
  readonly availability: string;
  readonly ttl: string | null;
  /** How old it may be online, as its view promises. */
  readonly freshness: string | null;
  readonly materialized_at: string | null;
  readonly statistics: ISparkline | null;
  /** `model:NAME` and `notebook:PATH`. */
  readonly used_by: readonly string[];
  readonly uses: number;
  /** Its column in a training frame. */
  readonly column: string;
  /** Python that a notebook needs to use the feature. */
  readonly code: string;
}

/** A named source of data, and what was last read of it. */
export interface ISource {
  readonly name: string;
  readonly description: string;
  readonly owner: string;
  readonly tags: readonly string[];
  readonly rows: number | null;
  readonly columns: number | null;
  readonly read_at: string | null;
  /** What its contract found of the content that was checked last. */
  readonly contract: 'passed' | 'failed' | null;
}

/** The column report of a source: markup and its style, without a script. */
export interface IReport {
  readonly name: string;
  readonly html: string;
}

/** The answer of each route. */
export interface IRoutes {
  readonly project: IProject;
  readonly branch: IBranch;
  readonly runs: readonly IRun[];
  readonly models: readonly IModel[];
  readonly features: readonly IFeature[];
  readonly sources: readonly ISource[];
  readonly report: IReport;
}

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

/**
 * Ask the server extension.
 *
 * @throws ApiError if there is no usable answer; the browser's AbortError if `signal` says so.
 */
export async function request<R extends keyof IRoutes>(
  route: R,
  query: Readonly<Record<string, string>>,
  signal?: AbortSignal
): Promise<IRoutes[R]> {
  const settings = ServerConnection.makeSettings();
  const url =
    URLExt.join(settings.baseUrl, 'workbench', 'api', route) +
    URLExt.objectToQueryString(query);
  let response: Response;
  let text: string;
  try {
    response = await ServerConnection.makeRequest(url, { signal }, settings);
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    throw new ApiError(String((error as Error).message), 0, '');
  }
  const answer = parse(text);
  if (response.ok && answer !== undefined) {
    return answer as IRoutes[R];
  }
  const problem = (answer ?? {}) as { detail?: string; type?: string };
  throw new ApiError(
    problem.detail ?? `${response.status} ${response.statusText}`,
    response.status,
    problem.type ?? ''
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
