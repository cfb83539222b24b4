/**
 * The server's records, by the names that the panels call them.
 */
import type { components } from '../generated/schema';

type Schemas = components['schemas'];

export type IProject = Schemas['ProjectInfo'];
export type IBranch = Schemas['Status'];
export type IChangedFile = Schemas['ChangedFile'];
export type ChangeState = IChangedFile['state'];
export type IRun = Schemas['RunRecord'];
export type IModel = Schemas['ModelSummary'];
export type IModelVersion = Schemas['Version'];
export type IFeature = Schemas['FeatureEntry'];
export type ISource = Schemas['SourceInfo'];
export type IReport = Schemas['SourceReport'];

/** A stored number. JSON has none for three of them, so the server says these in words. */
export type Metrics = IRun['metrics'];
export type Metric = Metrics[string];

// Branches
export type IBranches = Schemas['Branches'];
export type IBranchInfo = Schemas['Branch'];
export type IDropped = Schemas['Dropped'];
export type ISwitched = Schemas['Switched'];
export type IScores = Schemas['Scores'];
export type IBranchScore = Schemas['BranchScore'];
export type IFileDiff = Schemas['FileDiff'];
export type ICellChange = Schemas['CellChange'];
export type INotebookDiff = Schemas['NotebookDiff'];
export type IBranchComparison = Schemas['BranchComparison'];
export type ILeaderboard = Schemas['Leaderboard'];
export type IMergePlan = Schemas['MergePlan'];
export type IConflict = Schemas['Conflict'];
export type IMergeBody = Schemas['MergeBody'];
export type Choice = NonNullable<IMergeBody['choices']>[string];
// Runs
export type IRunPage = Schemas['RunPage'];
export type IRunFacets = Schemas['Facets'];
export type IRunMarks = Partial<Schemas['RunMarks']>;
export type IComparison = Schemas['Comparison'];
export type IComparedRow = Schemas['Row'];
export type IPicture = Schemas['Picture'];
// Jobs
export type IJob = Schemas['ListedJob'];
export type JobState = IJob['state'];
export type IJobDetails = Schemas['JobDetails'];
export type IJobCell = Schemas['JobCell'];
export type IJobPage = Schemas['JobPage'];
export type IFailureGroup = Schemas['FailureGroup'];
export type IJobForm = Schemas['JobForm'];
export type IFormField = Schemas['FormField'];
export type IChecked = Schemas['Checked'];
export type ISchedules = Schemas['Schedules'];
export type ISchedule = Schemas['ScheduleInfo'];
export type IStanding = Schemas['Standing'];
// Of the panels Models and Monitors.
export type IModelDetail = Schemas['ModelDetail'];
export type IInProduction = Schemas['InProduction'];
export type IPromotion = Schemas['Promotion'];
export type IGateFound = Schemas['GateFound'];
export type ICheck = Schemas['Check'];
export type IDecision = Schemas['DecisionInfo'];
export type IVerification = Schemas['Verification'];
export type IReproduction = Schemas['Reproduction'];
export type ITask = Schemas['Task'];
export type IDrawn = Schemas['Drawn'];
export type IExplained = Schemas['Explained'];
export type IChain = Schemas['Chain'];
export type IMonitored = Schemas['Monitored'];
export type IWindowMark = Schemas['WindowMark'];
export type IAlertGroup = Schemas['AlertGroup'];
export type IDashboard = Schemas['Dashboard'];
export type Tone = IMonitored['light'];
// Features and data
export type IFeatureProfile = Schemas['FeatureProfile'];
export type ICounted = Schemas['Counted'];
export type ICatalogueRow = Schemas['CatalogueRow'];
export type ICatalogueDetail = Schemas['CatalogueDetail'];
export type IKindCount = Schemas['KindCount'];
export type INotebookTemplate = Schemas['NotebookTemplate'];
