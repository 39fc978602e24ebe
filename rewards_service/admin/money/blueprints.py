"""The two subjects about money; the modules beside this one put their pages on them."""

from rewards_service.admin.pages import Pages

rewards = Pages("rewards_pages", url_prefix="/rewards")
payouts = Pages("payouts_pages", url_prefix="/payouts")
