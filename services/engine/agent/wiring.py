"""What stands behind the keywords for knowledge, models and other bots."""

from typing import Any

from services.common.rpc.client import Mesh
from services.engine.agent.answering import Answerer
from services.engine.agent.helping import TenantBots
from services.engine.agent.knowing import MeshKnowledge
from services.engine.agent.modelling import MeshModels
from services.engine.config import EngineSettings
from services.engine.keywords.agents.port import OtherBots
from services.engine.keywords.knowledge.port import Knowledge
from services.engine.keywords.models.port import Models
from services.engine.releases import Releases


def ports(mesh: Mesh, settings: EngineSettings, answerer: Answerer, releases: Releases) -> dict[Any, Any]:
    """Implementations by their kinds."""
    return {
        Knowledge: MeshKnowledge(mesh, settings.knowledge_floor),
        Models: MeshModels(mesh, settings.answer_seconds),
        OtherBots: TenantBots(mesh, answerer.answer, releases.current),
    }
