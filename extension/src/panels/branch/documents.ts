/**
 * The project's documents that are open, while Git changes the files below them.
 */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { DocumentRegistry, DocumentWidget } from '@jupyterlab/docregistry';
import { ServerConnection } from '@jupyterlab/services';
import { TranslationBundle } from '@jupyterlab/translation';
import { JSONExt } from '@lumino/coreutils';

import { Workbench } from '../../workbench';
import { askLeaving } from './dialogs';
import { isNotebook, revertNotebook, substance } from './notebooks';

type Context = DocumentRegistry.Context;

export class OpenDocuments {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _workbench: Workbench,
    private readonly _trans: TranslationBundle
  ) {}

  /**
   * Find out which documents are changed. Lab marks a notebook as changed when it has written into
   * it what the kernel is, which nobody wants to be asked about.
   */
  async compare(): Promise<void> {
    const look = async (context: Context): Promise<void> => {
      if (isNotebook(context.model) && (await this._isSaved(context))) {
        context.model.dirty = false;
      }
    };
    await Promise.all(this.unsaved.map(look));
  }

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

  /** What a document's file is called in the project. */
  fileOf(context: Context): string {
    return context.localPath.slice(this._top?.length);
  }

  /** Ask whether to save documents first, and do so; resolves to whether to go on. */
  async save(
    unsaved: readonly Context[],
    title: string,
    label: string,
    labelSaving: string
  ): Promise<boolean> {
    if (!unsaved.length) {
      return true;
    }
    const paths = unsaved.map(context => this.fileOf(context));
    const asked = await askLeaving(
      title,
      { label, labelSaving },
      paths,
      null,
      this._trans
    );
    if (asked?.save) {
      await Promise.all(unsaved.map(context => context.save()));
    }
    return asked !== null;
  }

  /**
   * Show again what is on the disk, and close what is gone. What has unsaved changes stays as it
   * is, and the user is told.
   */
  async refresh(): Promise<void> {
    const left: string[] = [];
    const look = async (context: Context, widgets: DocumentWidget[]): Promise<void> => {
      const state = await this._stateOf(context);
      if (state === 'same') {
        return;
      }
      if (context.model.dirty) {
        left.push(this.fileOf(context));
      } else if (state === 'gone') {
        widgets.forEach(widget => widget.dispose());
      } else {
        await (isNotebook(context.model) ? revertNotebook(context) : context.revert());
      }
    };
    await Promise.all(
      [...this._open].map(([context, widgets]) => look(context, widgets))
    );
    const { commands } = this._app;
    if (commands.hasCommand('filebrowser:refresh')) {
      void commands.execute('filebrowser:refresh');
    }
    Notification.dismiss(OpenDocuments._warning);
    if (left.length) {
      OpenDocuments._warning = Notification.warning(
        this._trans.__(
          'Other files now, and still open with your unsaved changes: %1',
          left.join(', ')
        ),
        { autoClose: false }
      );
    }
  }

  /** What the paths of the project's documents begin with. */
  private get _top(): string | null {
    return this.pathOf('');
  }

  /** The documents of the project, each with the widgets that show it. */
  private get _open(): Map<Context, DocumentWidget[]> {
    const found = new Map<Context, DocumentWidget[]>();
    const top = this._top;
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

  /** Whether a notebook's file has all of it. One that can't be read has not. */
  private async _isSaved({ model, path }: Context): Promise<boolean> {
    const { contents } = this._app.serviceManager;
    try {
      const { content } = await contents.get(path, { type: 'notebook', content: true });
      return JSONExt.deepEqual(substance(content), substance(model.toJSON()));
    } catch {
      return false;
    }
  }

  /** How a document's file is now. One that nobody can tell of counts as the same. */
  private async _stateOf(context: Context): Promise<'same' | 'other' | 'gone'> {
    const { contents } = this._app.serviceManager;
    const before = context.contentsModel;
    try {
      const now = await contents.get(context.path, { content: false, hash: true });
      const isSame =
        before?.hash && now.hash
          ? before.hash === now.hash
          : before?.last_modified === now.last_modified;
      return isSame ? 'same' : 'other';
    } catch (error) {
      const isGone =
        error instanceof ServerConnection.ResponseError &&
        error.response.status === 404;
      return isGone ? 'gone' : 'same';
    }
  }

  /** What was last said of documents that were left unsaved, wherever it was said. */
  private static _warning = '';
}
