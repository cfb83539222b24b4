/**
 * The project's documents that are open, while Git changes the files below them.
 */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { DocumentRegistry, DocumentWidget } from '@jupyterlab/docregistry';
import { ServerConnection } from '@jupyterlab/services';
import { TranslationBundle } from '@jupyterlab/translation';

import { Workbench } from '../../workbench';
import { askLeaving } from './dialogs';

type Context = DocumentRegistry.Context;

export class OpenDocuments {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _workbench: Workbench,
    private readonly _trans: TranslationBundle
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
    const paths = unsaved.map(context => context.localPath);
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
        left.push(context.localPath);
      } else if (state === 'gone') {
        widgets.forEach(widget => widget.dispose());
      } else {
        await context.revert();
      }
    };
    await Promise.all(
      [...this._open].map(([context, widgets]) => look(context, widgets))
    );
    const { commands } = this._app;
    if (commands.hasCommand('filebrowser:refresh')) {
      void commands.execute('filebrowser:refresh');
    }
    if (left.length) {
      Notification.warning(
        this._trans.__(
          'Other files now, and still open with your unsaved changes: %1',
          left.join(', ')
        ),
        { autoClose: false }
      );
    }
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
}
