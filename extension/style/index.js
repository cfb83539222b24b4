import './base.css';
import './panels/branch.css';
import './panels/runs.css';
import './panels/jobs.css';
import './panels/models.css';
import './panels/features.css';
import './panels/data.css';
import './panels/monitors.css';
