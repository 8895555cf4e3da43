"""Each rival: how it is trained for a budget of CPU seconds, and how it draws. Runs in the environment `image`.

The networks are those of ../shared/bench/image (about one size, documented defaults otherwise), the training is that of
its quality.py. A budget counts CPU seconds of the process (threads x seconds), so that a busy machine takes nothing
from anybody. Pictures are tensors (n, C, H, W) in [-1, 1].
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flowmap
import nets
import peers
import torch
import torch.nn.functional as F
from torch import Tensor

BATCH = 64
LATENT = 64  # of the DCGAN
Draw = Callable[[int], Tensor]


@dataclass
class Trained:
    """A rival after its training: how many steps it made, and how it draws n pictures, by number of sampling steps."""

    steps: int
    draws: dict[str, Draw]


@dataclass
class Task:
    """Training pictures x in [-1, 1] with classes y, and the budget."""

    x: Tensor
    y: Tensor
    cpu_seconds: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """C, H, W"""
        channels, height, width = self.x.shape[1:]
        return channels, height, width

    def rows(self) -> Tensor:
        """A batch."""
        return torch.randint(len(self.x), (BATCH,))

    def batch(self) -> Tensor:
        """A batch of pictures."""
        return self.x[self.rows()]

    def train(self, step: Callable[[int, float], None]) -> int:
        """Calls step(number, share of the budget spent) until the budget is spent; the number of steps."""
        began, number = time.process_time(), 0
        while (spent := time.process_time() - began) < self.cpu_seconds:
            step(number, spent / self.cpu_seconds)
            number += 1
        return number


def pythae_fitted(task: Task) -> tuple[Any, int]:
    """pythae's VAE with its default networks, trained; its number of steps."""
    channels, size, _ = task.shape
    model = peers.pythae_net(size, channels)
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)

    def step(number: int, share: float) -> None:
        optimiser.zero_grad()
        model({"data": task.batch() / 2 + 0.5}).loss.backward()
        optimiser.step()

    steps = task.train(step)
    return model.eval(), steps


def pythae_vae(task: Task) -> Trained:
    """It draws as its NormalSampler does: the decoder of standard normal noise."""
    model, steps = pythae_fitted(task)

    def draw(n: int) -> Tensor:
        made: Tensor = model.decoder(torch.randn(n, model.latent_dim))["reconstruction"]
        return made.view(n, *task.shape) * 2 - 1

    return Trained(steps, {"1": draw})


def torchgan_dcgan(task: Task) -> Trained:
    """torchgan's DCGAN; it knows powers of two only, so 28 pixels are padded to 32 by their edge and cut again."""
    channels, size, _ = task.shape
    whole = 16 if size <= 16 else 32
    edge = (whole - size) // 2
    x = F.pad(task.x, (edge, whole - size - edge) * 2, mode="replicate")
    makes, judges = peers.torchgan_nets(whole, channels)
    optimisers = [torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in (makes, judges)]

    def against(said: Tensor, truth: float) -> Tensor:
        return F.binary_cross_entropy_with_logits(said, torch.full_like(said, truth))

    def step(number: int, share: float) -> None:
        made = makes(torch.randn(BATCH, LATENT))
        optimisers[1].zero_grad()
        (against(judges(x[task.rows()]), 1.0) + against(judges(made.detach()), 0.0)).backward()
        optimisers[1].step()
        optimisers[0].zero_grad()
        against(judges(made), 1.0).backward()
        optimisers[0].step()

    steps = task.train(step)
    makes.eval()

    def draw(n: int) -> Tensor:
        made: Tensor = makes(torch.randn(n, LATENT))
        return made[:, :, edge : edge + size, edge : edge + size]

    return Trained(steps, {"1": draw})


def denoising_diffusion(task: Task) -> Trained:
    """denoising-diffusion-pytorch with its EMA; DDIM, since its 1,000 steps take seconds a picture."""
    from ema_pytorch import EMA

    channels, size, _ = task.shape
    model = peers.ddp(size, channels)
    optimiser = torch.optim.Adam(model.parameters(), 3.2e-4, (0.9, 0.99))
    average = EMA(model, beta=0.995, update_every=10)

    def step(number: int, share: float) -> None:
        optimiser.zero_grad()
        model(task.batch() / 2 + 0.5).backward()
        optimiser.step()
        average.update()

    steps = task.train(step)
    averaged: Any = average.ema_model

    def draw_by(count: int) -> Draw:
        def draw(n: int) -> Tensor:
            averaged.sampling_timesteps, averaged.is_ddim_sampling = count, True
            made: Tensor = averaged.sample(batch_size=n)
            return made * 2 - 1

        return draw

    return Trained(steps, {str(count): draw_by(count) for count in (4, 50)})


def diffusers_unet(task: Task) -> Trained:
    """diffusers' UNet2DModel with its EMA: DDIM in 4 and 50 steps, and DPM-Solver++ in 20, its fast sampler."""
    from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler
    from diffusers.training_utils import EMAModel

    channels, size, _ = task.shape
    net, noise = peers.diffusers_net(size, channels), DDPMScheduler(1000)
    optimiser = torch.optim.AdamW(net.parameters(), 4e-4, (0.95, 0.999), weight_decay=1e-6)
    average = EMAModel(net.parameters(), decay=0.9999, use_ema_warmup=True, inv_gamma=1.0, power=0.75)

    def step(number: int, share: float) -> None:
        x, at = task.batch(), torch.randint(0, 1000, (BATCH,))
        e = torch.randn_like(x)
        optimiser.zero_grad()
        F.mse_loss(net(noise.add_noise(x, e, at), at).sample, e).backward()
        optimiser.step()
        average.step(net.parameters())

    steps = task.train(step)
    average.copy_to(net.parameters())
    net.eval()

    def draw_by(scheduler: Any, count: int) -> Draw:
        def draw(n: int) -> Tensor:
            scheduler.set_timesteps(count)
            z = torch.randn(n, *task.shape) * scheduler.init_noise_sigma
            for at in scheduler.timesteps:
                z = scheduler.step(net(scheduler.scale_model_input(z, at), at).sample, at, z).prev_sample
            return z

        return draw

    few = DDIMScheduler(1000, timestep_spacing="trailing")  # its documentation's advice for few steps
    solver = DPMSolverMultistepScheduler(1000)
    draws = {"4": draw_by(few, 4), "50": draw_by(DDIMScheduler(1000), 50), "20 DPM": draw_by(solver, 20)}
    return Trained(steps, draws)


def flow_matching(task: Task) -> Trained:
    """Plain flow matching (velocity loss, no preconditioning, no jumps) on the rulers' U-Net, with the classes given:
    a draw's class comes from the training classes."""
    classes = int(task.y.max()) + 1
    net = nets.UNet(task.shape[0], classes, 32, (1, 2, 2))
    flow = flowmap.FlowMap(net, float(task.x.std()), precond=False, classes=classes)
    optimiser = torch.optim.AdamW(net.parameters(), 1e-3, (0.9, 0.99), weight_decay=1e-2)

    def step(number: int, share: float) -> None:
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * min(1.0, (number + 1) / 100) * (1.0 if share < 0.7 else max(0.02, (1 - share) / 0.3))
        rows = task.rows()
        optimiser.zero_grad(set_to_none=True)
        flow.loss(task.x[rows], task.y[rows], progress=share, share=0.0).backward()
        optimiser.step()
        flow.update(number)

    steps = task.train(step)

    def draw_by(count: int) -> Draw:
        def draw(n: int) -> Tensor:
            y = task.y[torch.randint(len(task.y), (n,))]
            made: Tensor = flow.sample(n, task.shape, count, y=y, jump=False)
            return made

        return draw

    return Trained(steps, {str(count): draw_by(count) for count in (1, 4, 32)})


PEERS: dict[str, Callable[[Task], Trained]] = {
    "pythae": pythae_vae,
    "torchgan": torchgan_dcgan,
    "ddp": denoising_diffusion,
    "diffusers": diffusers_unet,
    "fm": flow_matching,
}
