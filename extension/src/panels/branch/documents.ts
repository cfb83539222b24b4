/**
 * The project's documents that are open, while Git changes the files below them.
 */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { DocumentRegistry, DocumentWidget } from '@jupyterlab/docregistry';
import { ServerConnection } from '@jupyterlab/services';

import { Workbench } from '../../workbench';

type Context = DocumentRegistry.Context;

/** What became of the open documents whose files have changed. */
export interface IRefreshed {
  readonly reverted: readonly string[];
  readonly closed: readonly string[];
  /** Those with unsaved changes: they stay as they were, however the file is now. */
  readonly left: readonly string[];
}

export class OpenDocuments {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _workbench: Workbench
  ) {}

  /** Those with changes that aren't saved. */
  get unsaved(): readonly Context[] {
    return [...this._open.keys()].filter(context => context.model.dirty);
  }

  /** Where a file of the project is for Jupyter; null if it is above the server's root. */
  pathOf(file: string): string | null {
    const { state } = this._workbench.project;
    const folder = state.kind === 'ready' ? state.value.folder : null;
    return folder === null ? null : folder ? `${folder}/${file}` : file;
  }

  /** Show again what is on the disk, and close what is gone; nothing that isn't saved is lost. */
  async refresh(): Promise<IRefreshed> {
    const [reverted, closed, left]: string[][] = [[], [], []];
    const look = async (context: Context, widgets: DocumentWidget[]): Promise<void> => {
      const before = context.contentsModel?.last_modified;
      const now = await this._modified(context);
      if (now === before || now === undefined) {
        return;
      }
      const { localPath } = context;
      if (context.model.dirty) {
        left.push(localPath);
      } else if (now === null) {
        widgets.forEach(widget => widget.dispose());
        closed.push(localPath);
      } else {
        await context.revert();
        reverted.push(localPath);
      }
    };
    await Promise.all(
      [...this._open].map(([context, widgets]) => look(context, widgets))
    );
    const { commands } = this._app;
    if (commands.hasCommand('filebrowser:refresh')) {
      void commands.execute('filebrowser:refresh');
    }
    return { reverted, closed, left };
  }

  /** The documents of the project, each with the widgets that show it. */
  private get _open(): Map<Context, DocumentWidget[]> {
    const found = new Map<Context, DocumentWidget[]>();
    const top = this.pathOf('');
    for (const widget of this._app.shell.widgets('main')) {
      if (widget instanceof DocumentWidget && top !== null) {
        const context = widget.context as Context;
        if (context.isReady && context.localPath.startsWith(top)) {
          found.set(context, [...(found.get(context) ?? []), widget]);
        }
      }
    }
    return found;
  }

  /** When a document's file was written; null if it is gone, undefined if nobody says. */
  private async _modified(context: Context): Promise<string | null | undefined> {
    const { contents } = this._app.serviceManager;
    try {
      return (await contents.get(context.path, { content: false })).last_modified;
    } catch (error) {
      const isGone =
        error instanceof ServerConnection.ResponseError &&
        error.response.status === 404;
      return isGone ? null : undefined;
    }
  }
}
